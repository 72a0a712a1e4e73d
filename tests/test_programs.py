"""What a script of a skill may do is read out of its text: it works on its files, and every way behind that is named."""

import pytest

from trace2skill.safety.programs import found_in_program

HOSTILE = [
    "import os",
    "import subprocess as s",
    "from . import helpers",
    "import pathlib\npathlib.os.system('true')",
    "import pathlib as p\np.os.remove('a')",
    "from pathlib import os",
    "from argparse import _os",
    "import argparse\nargparse._os.remove('a')",
    "import statistics\nm = statistics\nm.sys.stdout",
    "import sys\nsys._getframe()",
    "import sys\nsys.modules['o' + 's']",
    "import sys\nsys.meta_path",
    "from sys import meta_path",
    "import operator\noperator.attrgetter('__class__')(1)",
    "from operator import methodcaller as m\nm('x')",
    "import string\nstring.Formatter().get_field('0.x', (1,), {})",
    "import typing\nclass A:\n    x: 'y'\ntyping.get_type_hints(A)",
    "from json import *",
    "__loader__.load_module('o' + 's')",
    "__spec__.loader",
    "().__class__.__base__.__subclasses__()",
    "match print:\n    case object(__self__=b):\n        b.open('x')",
    "f = eval\nf('1')",
    "getattr(1, 'x')",
    "help('modules')",
    "open('/etc/passwd')",
    "open('../../secret')",
    "open('~/.ssh/id_rsa')",
    "from pathlib import Path\nPath('a').unlink()",
    "from pathlib import Path\nPath.home()",
    "import urllib.request",
    "x = 'https://example.org/x'",
]
HONEST = [
    "import argparse, csv, sys\np = argparse.ArgumentParser(description='Sums a column.')\np.add_argument('--column')\n"
    "rows = list(csv.DictReader(open('in.csv')))\nprint(sum(float(r['x']) for r in rows), file=sys.stderr)\nsys.exit(0)",
    "from openpyxl import load_workbook\nfrom openpyxl.styles import Font\nbook = load_workbook('input/1.xlsx')\n"
    "sheet = book['A']\nsheet['A1'].font = Font(bold=True)\nbook.save('output/1.xlsx')",
    "from datetime import datetime, time\nimport datetime as d\nprint(datetime.now().time(), d.time(1), d.datetime.today())",
    "from pathlib import Path\nimport json\nPath('output/a.json').write_text(json.dumps({'a/b': 1}))",
    "from dataclasses import dataclass\n@dataclass\nclass Row:\n    _name: str\n    def __init__(self):\n        self._x = 1\n"
    "if __name__ == '__main__':\n    print(__doc__, Row()._x)",
    "import re, collections\nprint(re.sub(r'\\d+/\\d+', '', 'a 1/2'), collections.Counter('ab').most_common(1))",
    "import math, statistics\nprint(math.floor(1.5), statistics.mean([1, 2]), f'{1:.2f}', '{:>4}'.format(3))",
]


@pytest.mark.parametrize("program", HOSTILE)
def test_every_way_out_is_named(program: str) -> None:
    assert found_in_program(program)


@pytest.mark.parametrize("program", HONEST)
def test_programs_that_work_on_their_files_are_not_suspected(program: str) -> None:
    assert not found_in_program(program)
