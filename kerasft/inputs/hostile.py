"""Texts that break careless preprocessing; the parity gate puts them through every path."""

import random

HOSTILE_TEXTS: tuple[str, ...] = (
    "",
    " ",
    "\t\n\r \u00a0\u2003",
    "a",
    "!",
    "word " * 20_000,  # 100,000 characters
    "x" * 100_000,
    "." * 5_000,
    "\U0001f600\U0001f3ac great \U0001f44d\U0001f3fd",
    "family: \U0001f468\u200d\U0001f469\u200d\U0001f467 flag: \U0001f1e9\U0001f1ea keycap: 1\ufe0f\u20e3",
    "cafe\u0301 nai\u0308ve Z\u0335\u0321\u033a\u034ealgo e\u0301\u0323 e\u0323\u0301",
    "Cr\u00e8me br\u00fbl\u00e9e, \u00dcber, \u0218i \u1ea4y",
    "\u0301\u0302 \u0303",  # marks without a letter
    "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd, \u0645\u0631\u062d\u0628\u0627 \u0628\u0643\u0645"
    " \u202emirror\u202c",
    "\u5f88\u597d\u770b\u7684\u7535\u5f71\u3002\u6f14\u5458good\u4e0d\u9519\uff01",
    "\u3053\u306e\u6620\u753b\u306f\u30ac\u30c3\u30b7\u30ea \u30cf\u309a \uc601\ud654\uac00 \u1112\u1161\u11ab\uae00",
    "\U00020000\U0002a6d6 \ufa11\U0002f800",  # ideographs beyond the first plane, and compatibility ones
    "nul\x00inside \x00 \x00",
    "\x01\x02\x7f\x80\x9f\x0b\x0c\x1c\x1f\x85",
    "lone \ud800 surrogate\udfff \udc00\ud800 end",
    "qqzzx wvvkq xjxjxj zzyzx",  # out of vocabulary
    "[PAD] [UNK] [CLS] good [SEP] [MASK] ##ing <s> </s>",
    "one<br>two<br/>three<br />four<BR><Br />five<bR >six",
    "<br><<br />>< br><br  />< /br>br /><br\t/><br<br>>",
    "e" * 99 + " " + "e" * 100 + " " + "e" * 101 + " " + "\u00e9" * 100 + " " + "e\u0301" * 101,
    "good" * 40,
    "\u039f\u0394\u03a5\u03a3\u03a3\u0395\u03a5\u03a3 \u03bf\u03b4\u03cc\u03c2 \u03a3",  # final sigma
    "\u0130stanbul I\u0307 \u0131 I\u0130i",  # dotted and dotless i
    "stra\u00dfe STRASSE \u1e9e \ufb01lm e\ufb03cient \u01c4 \u01c5 \u01c6 \u0149",
    "\u3000wide\u3000\u2028line\u2029paragraph\u2009thin\u200bzero\u2060join\u00adsoft",
    "\ufeffbom at the start \ufeff and \ufffe",
    "\ufdd0\uffff\U0001fffe\U0010ffff \U000e0001\U000e0061",  # non-characters and tags
    "\ue000\uf8ff\U000f0000\U0010fffd \u0378\U00050000 private",
    "\ufffd\ufffd replaced \ufffd",
    "don't can\u2019t \u201cquoted\u201d \u2014 3.14 1,000 $5 50% a_b a-b a/b @x #y \u20ac",
    "\u2260 \u037e \u0387 \u1fef \u212b \u2126 \u212a",  # become other characters in decomposition
    "\U0001d15e \u302e\u0323\u302f \U0001d165\u302e \ua9c0\u0334",  # spacing marks, and their order
    "\u0e20\u0e32\u0e1e\u0e22\u0e19\u0e15\u0e23\u0e4c\u0e14\u0e35 \u0939\u093f\u0928\u094d\u0926\u0940"
    " \u0bae\u0bbf\u0b95",
    "\u1100" * 50 + "\uac01" * 60,  # words that grow in decomposition
    "i" + "\u0301" * 500 + "x",
    "NOT good, NOT bad; " * 300,
    "\r\nwindows\r\nlines\r\n",
    "%s %d {0} \\n \\x00 $(x) ${y} '; --",
    # Half and full width; ideographs and Latin without a space; letters with marks; marks that stay and that go.
    "\uff8a\uff9d\uff76\uff78 \uff83\uff9e\uff7d\uff86\uff70 \uff26\uff29\uff2c\uff2d \uff11\uff12\uff13\uff01",
    "iPhone\u624b\u673aand\u5f71\u5370\u673aOK5\u661f\u3002so\u597d\u770bX\u5149",
    "McDonald's CAF\u00c9 \u00c9cole \u0141\u00f3d\u017a Ti\u1ebfng Vi\u1ec7t \u03a4\u03b1\u03b9\u03bd\u03af\u03b1"
    " \u0424\u0418\u041b\u042c\u041c \u0451\u0439",
    "\u0958\u093c\u094d\u0937 \u0924\u094d\u0930\u0941\u091f\u093f \u0e01\u0e33\u0e25\u0e31\u0e07"
    " \u0e19\u0e49\u0e33 \u10d9\u10d8\u10dc\u10dd",
)
"""Empty, blank, huge, controls, emoji, marks, scripts, lone surrogates, literal special tokens, HTML breaks."""

_RANGES = (
    (0, 0x110000),
    (0, 0x20000),
    (0, 0x3000),
    (0x20, 0x7F),
    (0x00, 0xA1),  # controls
    (0x300, 0x370),  # combining marks
    (0x590, 0x700),  # right to left
    (0x2000, 0x2070),  # spaces, joiners, directions
    (0x4E00, 0xA000),  # CJK
    (0xAC00, 0xD7A4),  # Hangul, which decomposes into three
    (0xF900, 0xFB00),  # compatibility ideographs
    (0x1D000, 0x1D200),  # musical notes: marks with an order
    (0x1F300, 0x1FB00),  # emoji
    (0xE0000, 0xE0200),  # tags and variation selectors
    (0x20, 0x21),
)
_STRINGS = ("good", "ing", "un", "film", "the", "\u00e9t\u00e9", "[PAD]", "##", "<br />", "<BR>", "< br>", " ")


def generated_texts(count: int, seed: int = 0) -> list[str]:
    """Random Unicode strings of up to 40 characters or short words, each mixed from one to four ranges.

    Args:
        count: how many.
        seed: the same seed gives the same strings.

    Example:
        >>> generated_texts(3, seed=1) == generated_texts(3, seed=1)
        True
    """
    rng = random.Random(seed)
    texts = []
    for _ in range(count):
        ranges = rng.sample([*_RANGES, None, None], rng.randint(1, 4))
        drawn = (rng.choice(ranges) for _ in range(rng.randint(0, 40)))
        texts.append("".join(chr(rng.randrange(*pair)) if pair else rng.choice(_STRINGS) for pair in drawn))
    return texts
