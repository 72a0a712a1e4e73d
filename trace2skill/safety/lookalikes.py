"""Letters that look like Latin ones, as the reader of a text takes them.

The letters of living scripts that a person, or a model, reads as a Latin letter in a word; Unicode's own table of
confusable signs (UTS 39) has many more, for single signs side by side. Compatibility forms (full width, mathematical,
circled, superscript) are not among them: Unicode's NFKD makes letters of them.
"""

SCRIPTS = (
    # Greek
    ("αοιρνυκχγτηωϲϳβε", "aoipvukxytnwcjbe"),
    ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹ", "ABEZHIKMNOPTYXC"),
    # Cyrillic
    ("аеорсухіѕԁԛјһԝѵӏкмтнв", "aeopcyxisdqjhwvlkmthb"),
    ("АВЕЅІЈКМНОРСТУХҮԌԜᎪѴ", "ABESIJKMHOPCTYXYGWAV"),
    # Armenian
    ("օսոհցքյՕՍԼ", "ounhgqjOUL"),
    # Lisu, Cherokee: capitals that are Latin ones in all but their number
    ("ꓮꓐꓚꓓꓰꓝꓖꓧꓲꓙꓗꓡꓟꓠꓳꓑꓣꓢꓔꓴꓦꓪꓫꓬꓜ", "ABCDEFGHIJKLMNOPRSTUVWXYZ"),
    ("ᎠᎡᎢᎥᎪᎫᎬᎳᎷᎻᏀᏂᏃᏆᏔᏙᏚᏞᏟᏢᏦᏧᏴ", "DRTiAJEWMHGhZIWVSLCPKdB"),
    # Latin letters that are no forms of others in Unicode's tables
    ("ıɩɡɑʋɪʏʀɴʟʜɢᴀᴄᴅᴇᴊᴋᴍᴏᴘᴛᴜᴠᴡᴢꜱƖɛɔłøđħŧ", "iigavIYRNLHGACDEJKMOPTUVWZSIEclodht"),
)
LOOKALIKES = {odd: plain for some, like in SCRIPTS for odd, plain in zip(some, like, strict=True) if odd != plain}
"""Each with the Latin letter that it is read as."""
