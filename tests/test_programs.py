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
    "import argparse as a\na._os.system('true')",
    "m = __import__",
    "import argparse\nm = argparse\nm.x",
    "import sys as s\nfor m in [s]:\n    m.meta_path",
    "from statistics import random\nrandom._os.popen('true')",
    "import statistics\nstatistics.random",
    "from statistics import sys as s\ns.stdout",
    "import sys as s\ns._getframe()",
    "import collections as c\nc.abc._sys",
    "import json.__main__",
    "import openpyxl.reader.excel as e\ne.os",
    "from openpyxl.reader.excel import ZipFile",
    "g = (i for i in (1,))\ng.gi_frame.f_builtins['ex' + 'ec']",
    "match x:\n    case object(gi_frame=f):\n        pass",
    "class A:\n    def __exit__(self, a, b, c):\n        return c.tb_frame",
    "# coding: utf-7\n# +AAo-import os+ADs-",
    "#!/usr/bin/python\n# -*- coding: unicode_escape -*-\n# \\x0aimport os",
    "x = 1\x0c\ny = 2",
    "# one\rimport json",
    "from typing import Optional, get_args\nget_args(Optional['1'])[0]._evaluate({}, {})",
    "class A:\n    def f(self):\n        self._evaluate({}, {})",
    "import functools as f\nf.update_wrapper(len, print, updated=('__glo' + 'bals__',))",
    "from functools import singledispatch",
    "from dataclasses import dataclass\nclass A:\n    __annotations__['x'] = 1",
    "from dataclasses import dataclass\nA = type('A', (), {})\ndataclass(A)",
    "class M:\n    def __instancecheck__(self, other):\n        return True",
    "class A(metaclass=B):\n    pass",
    "class M:\n    async def __instancecheck__(self, other):\n        pass",
    "import argparse\nargparse.ArgumentParser().parse_args([], int)",
    "from pathlib import Path\nPath('a').resolve().parents[3].rglob('*')",
    "from pathlib import Path\nPath(__file__).parent.parent",
    "from pathlib import Path\nPath('/').joinpath('etc', 'passwd')",
    "from pathlib import Path\nPath('a') / '/'",
    "open('/' + 'etc')",
    "open(f\"/{'etc'}/passwd\")",
    "open('/'.join(['', 'etc', 'passwd']))",
    "from pathlib import Path\nPath('a').replace('b')",
    "from pathlib import Path as P\nP.replace(P('a'), 'b')",
    "from pathlib import Path\nf = Path('a').replace\nf('b')",
    "print('{0.__class__}'.format(1))",
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
    "# -*- coding: utf-8 -*-\nfrom copy import copy\nimport openpyxl.utils as u\nfrom openpyxl.utils.cell import get_column_letter\n"
    "a, b = cells\nb._style = copy(a._style)\nprint(u.get_column_letter(3), '/'.join(['a', 'b']), 'a/b'.split('/'))",
    "from datetime import date\nimport dataclasses\nprint('a'.replace('a', 'b'), date.today().replace(day=1), row._asdict())\n"
    "print(dataclasses.replace(row, x=1))",
    "import collections.abc, json, html.entities, decimal, itertools, heapq, bisect, sys\nfrom collections import abc\n"
    "print(isinstance([], abc.Iterable), json.decoder.JSONDecodeError, decimal.ROUND_HALF_UP, itertools.chain(), heapq.nlargest(1, [2]))\n"
    "bisect.bisect([1], 1)\nsys.stdout.write(type(1).__name__)\nout = Path('output') / 'a.csv'\nout.parent.mkdir(exist_ok=True)",
    "import argparse, re\nargs = argparse.ArgumentParser().parse_args()\nprint(args.code, args.site, re.compile('a').sub('', ''))",
    "import typing, enum, re, string, textwrap, calendar, csv, functools, operator, datetime as dt\n"
    "class Kind(enum.Enum):\n    A = 1\n@functools.lru_cache\ndef f(x: typing.Any) -> str:\n    return string.ascii_letters\n"
    "print(re.IGNORECASE, textwrap.dedent(''), calendar.month_name[1], csv.QUOTE_ALL, operator.itemgetter(1), dt.timedelta(1), Kind.A)",
    "import math, statistics\nprint(math.floor(1.5), statistics.mean([1, 2]), f'{1:.2f}', '{:>4}'.format(3))",
]


@pytest.mark.parametrize("program", HOSTILE)
def test_every_way_out_is_named(program: str) -> None:
    assert found_in_program(program)


@pytest.mark.parametrize("program", HONEST)
def test_programs_that_work_on_their_files_are_not_suspected(program: str) -> None:
    assert not found_in_program(program)


def test_what_a_person_allows_of_one_program_says_nothing_of_another() -> None:
    one, other = ({item.id for item in found_in_program(f"import os\nprint(os.{name})")} for name in ("linesep", "sep"))
    assert one
    assert not one & other
