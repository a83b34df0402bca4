"""How orders to change a video are worded, in six languages: verbs, and where what is changed stands beside them.

``edits`` judges what these patterns find. A pattern is tried only in clauses of its own script.
"""

import re

from understudy.reading.spotting import any_of, words_in

MARK = r"[\uE000-\uF8FF]"
IN_VIDEO = re.compile(
    rf"\s*(?:(?<![a-z0-9])(?:in|from|of|on|into|to|at|del|de la|de|en el|en|do|da|no|na|em|di|dari"
    rf"|pada|ke|dalam|在|从)\s+){{0,4}}(?:the\s+)?"
    rf"(?P<mark>{MARK})\s*(?:里面|里|中|的|上|画面|から|の中|の|に|で)*"
)
ARTICLES = re.compile(
    r"^(?:(?:the|a|an|some|el|la|los|las|un|una|unos|unas|al|o|os|as|um|uma|sebuah"
    r"|seekor|seorang|一个|一只|一匹|一辆|一位|一件|那个|这个"
    r"|them|it|this|that|its|his|her|their|su|seu|sua|todo|toda|all|entire|whole|整个"
    r"|所有)(?:\s+|(?=[\u3040-\u9fff])))+"
)
TAIL = re.compile(
    r"\s*(?:please|instead|only|por favor|tolong|saja|的?效果|ください|下さい|してほしい"
    r"|吧|即可|一下|effect|look)?[\s.,，。!！]*$"
)

TO_EN = r"(?:in)?to\s+(?:be\s+)?|with\s+|by\s+|for\s+"
VERBS_EN = (
    r"replace|swap|substitute|exchange|change|turn|transform|convert|make|switch|recolou?r"
    r"|restyle|relight|set|modify|edit|remove|delete|erase|get rid of|take out|add"
    r"|insert|put|place"
)
VERBS_ROMANCE = (
    r"reemplaz|sustitu|substitu|cambi|conviert|convert|transform|troqu|troca|mud[ea]"
    r"|alter|elimin|quit[ae]|borra|remov|apagu|retir"
    r"|exclu|anad|agreg|adicion|acrescent|insert|insir|coloqu|coloca|pon\b|pinta|pinte|haz|faca|deixe|torn"
)
VERBS_ID = r"ganti|ubah|tukar|hapus|hilangkan|buang|tambah|sisipkan|masukkan|jadikan|buat"
CLAUSE = re.compile(
    rf"[.!?;。！？；\n,，、]|(?<=[^\s]):\s|：|\s(?:and|then|y|e|dan|lalu|luego|depois)\s+(?:then\s+)?(?="
    rf"(?:{VERBS_EN})\b|(?:{VERBS_ROMANCE})|(?:{VERBS_ID}))"
    r"|并且|并|然后|同时|再(?=把|将|加|添)"
)

_SHADE = r"(?:(?:bright|dark|light|deep|pale|neon|pastel|rojo|azul|verde|merah|biru|hijau)\s+)?"
_COLOUR = rf"{_SHADE}(?:{any_of(words_in('colour'))})"
_DARK = r"(?:\s+(?:oscuro|oscura|claro|clara|escuro|escura|tua|muda|brillante|brilhante|terang|gelap))?"
_ENDS = r"[\s.!]*$"
_FIRST = (
    (
        "change",
        (
            r"\binstead of (?P<target>.+?),?\s+(?:show|put|use|have|place|with|it should be|there is"
            r"|there's)?\s*(?P<by>(?:an?|the|some)\s.+)"
        ),
    ),
    (
        "change",
        (
            r"\ben (?:vez|lugar) d(?:e|el) (?P<target>.+?),?\s+(?:pon\w*|muestra|usa|que haya"
            r"|quiero)?\s*(?P<by>(?:una?|el|la)\s.+)"
        ),
    ),
    (
        "change",
        (
            r"\b(?:em vez|no lugar|ao inves) d(?:e|o|a) (?P<target>.+?),?\s+(?:ponha|coloque|mostre|use"
            r"|quero)?\s*(?P<by>(?:uma?|o|a)\s.+)"
        ),
    ),
    (
        "change",
        (
            rf"\b(?:pint\w+|tin\w+|vuelv\w+|torn\w+|deix\w+)\s+(?:(?:de|en"
            rf"|em)\s+)?(?P<by>{_COLOUR})\s+(?P<target>(?:el|la|los|las|os?|as?)\s.+)"
        ),
    ),
    (
        "change",
        (
            rf"\b(?:make|turn|paint|dye|recolou?r|(?<!el )(?<!a )(?<!the )colou?r"
            rf"|tint)s?\s+(?P<target>.+?)\s+(?:to\s+be\s+|to\s+|in\s+)?"
            rf"(?P<by>{_COLOUR}){_ENDS}"
        ),
    ),
    (
        "change",
        (
            r"\b(?:pint\w+|haz|haga|haced|faca|faz|deix\w+|pon\w*|ponha|vuelv\w+|torn\w+|tin\w+"
            r"|colore\w*|cambi\w+|mud\w+"
            r"|pass\w+|troqu\w+|warnai|cat|buat\w*|jadikan|ubah\w*"
            r"|ganti\w*)\s+(?:que\s+)?(?P<target>(?:(?!\s(?:por|con|com|dengan|menjadi|jadi"
            r"|ke)\s).)+?)\s+"
            r"(?:(?:sea|este|seja|fique|ficar|de|a|al|en|em|para|por|com|con|de color|na cor|da cor"
            r"|cor|menjadi|jadi|ke|dengan"
            rf"|warna|berwarna|dengan warna|menjadi warna|menjadi berwarna)\s+)*(?P<by>{_COLOUR}{_DARK}){_ENDS}"
        ),
    ),
)
_MORE = (
    (
        "insert_in",
        r"(?P<where>.+?)に(?P<by>[^に]+?)を(?:かぶせ|着せ|つけ|持たせ|乗せ|載せ|飛ばせ|飛ばし|走らせ|歩かせ|泳がせ)",
    ),
    ("insert", r"(?P<by>.+?)と(?:表示|書い|書き|入れ)"),
    (
        "change",
        (
            r"^(?P<target>.+?)\s+(?:becomes?|turns? into|(?:should|must|has to|have to) (?:be(?:come)?"
            r"|turn(?: into)?)|(?:is|are) (?:now|replaced (?:by|with)|turned into|changed (?:in)?to)"
            r"|morphs? into)\s+(?P<by>.+)"
        ),
    ),
    (
        "give",
        r"\b(?:give|dress|put)s?\s+(?P<target>(?:the|his|her|him|them|it)\b.*?)\s+(?:in\s+)?(?P<by>(?:an?|some)\s+.+)",
    ),
    ("remove", r"\btake\s+(?P<target>.+?)\s+(?:out|away)\b"),
    ("remove_thing", r"^\s*(?:with\s+)?(?:no|without|sin|sem|tanpa)(?:\s+any|\s+more)?\s+(?P<target>.+)"),
    (
        "remove",
        (
            r"\b(?:cut|clean|clear|wipe|crop|strip)s?\s+(?:out\s+)?(?P<target>(?:the|all|any|that|every"
            r"|his|her)\b.+?)(?:\s+(?:out|away|off|up))?\s+(?:of|from)\s"
        ),
    ),
    ("remove", r"\b(?:hide|omit|drop|cut out|edit out|paint out|wipe out|eliminate)s?\s+(?P<target>.+)"),
    ("insert", r"\b(?:have|let)\s+(?P<by>(?:an?|some|two|three|several)\s+.+)"),
    (
        "insert",
        (
            r"\b(?:sprinkle|scatter|overlay|superimpose|write|display|paste|attach|composite|bring in"
            r"|drop in|draw in)s?\s+(?P<by>.+)"
        ),
    ),
    (
        "change",
        r"(?:让|使)?(?P<target>[^让使]+?)(?:变为|变作|变|涂成|刷成|漆成|换上|换|调为|做成|改|渲染成|渲染为|P成)(?:了)?(?P<by>.+)",
    ),
    ("change_from", r"(?:以|拿)(?P<by>.+?)(?:替换|替代|代替|取代)(?:掉)?(?P<target>.+)"),
    ("remove", r"(?:不要|不再有|去除掉|清除|剔除|抠掉|拿掉|隐藏)(?:出现)?(?P<target>.+)"),
    ("remove", r"(?:把|将)(?P<target>.+?)(?:清除|剔除|抠掉|拿掉|隐藏|拿走|P掉)"),
    ("insert", r"(?:出现|飞过|放|画上|写上|写|配上|叠加|贴上|多出|来点|来一)(?:一些|了)?(?P<by>.+)"),
    ("change", r"(?P<target>.+?)の代わりに(?P<by>.+?)(?:を|に|が)"),
    (
        "change",
        r"(?P<target>.+?)(?:を|は|が)(?P<by>[^をは]+?)(?:にする|になる|にし|になっ|に塗|にチェンジ|へチェンジ|くする|くし|風に|っぽく)",
    ),
    ("remove", r"(?P<target>.+?)(?:を|は)(?:取り去|外し|外す|抜い|いなく|なくす|カット|取っ|隠し|隠す|除い|消え)"),
    (
        "insert",
        r"(?P<by>.+?)(?:を|が)(?:登場|出現|現れさせ|乗せ|載せ|かぶせ|着せ|表示|重ね|降らせ|舞わせ|飛ばせ|散らし|書い|書き|出し|出す)",
    ),
    (
        "change",
        (
            r"\b(?:haz|haga|faca|quiero|quero) que\s+(?P<target>.+?)\s+(?:se convierta en"
            r"|se transforme en|sea|pase a ser|se torne|vire|vire|seja|se transforme em"
            r"|se converta em)\s+(?P<by>.+)"
        ),
    ),
    (
        "change",
        (
            r"\b(?:haz|haga|faca|convierte|convierta|transforma|transforme|converta"
            r"|torne)\s+(?P<target>(?:el|la|los|las|o|a|os"
            r"|as)\s+\w+(?:\s+de[l]?\s+[\uE000-\uF8FF])?)\s+(?P<by>una?\s.+)"
        ),
    ),
    (
        "change",
        (
            r"(?P<target>.+?)\s+(?:se convierte en|se transforma en|pasa a ser|debe ser|vira|torna-se"
            r"|se torna|se transforma em|deve ser|menjadi|berubah menjadi|harus menjadi|diganti dengan"
            r"|diganti menjadi)\s+(?P<by>.+)"
        ),
    ),
    (
        "give",
        (
            r"\b(?:ponle|ponles|dale|viste|coloque|ponha|pon|pakaikan|beri|berikan)\s+(?P<by>.+?)\s+(?:a"
            r"|al|a la|ao|na|no|en|em|pada|kepada|untuk)\s+(?P<target>.+)"
        ),
    ),
    (
        "remove",
        (
            r"\b(?:saca|saque|sacar|suprim\w+|despeja|haz desaparecer|suma com|tire|tira|tirar|some com"
            r"|delete|deleta|hilangkanlah|lenyapkan|bersihkan|hapuslah|keluarkan|sembunyikan|oculta"
            r"|esconda)\s+(?P<target>.+)"
        ),
    ),
    (
        "insert",
        (
            r"\b(?:pon|ponga|ponle|haz aparecer|haz que aparezca|que aparezca|muestra|escribe|superpon"
            r"|mete|incluye|faca aparecer|ponha|bota|bote|mostre|escreva|inclua|sobreponha|insira"
            r"|tampilkan|tuliskan|tulis|munculkan|taruh|beri|berikan|pasang|sertakan|masukan"
            r"|hadirkan)\s+(?P<by>.+)"
        ),
    ),
)

PATTERNS = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        *_FIRST,
        ("change", rf"\b(?:replace|swap|substitute|exchange)s?\s+(?:out\s+)?(?P<target>.+?)\s+(?:{TO_EN})(?P<by>.+)"),
        ("change",
            (r"\b(?:change|turn|transform|convert|switch|recolou?r|restyle|set|modify|edit|repaint"
            r"|dye)s?\s+(?P<target>.+?)\s+(?:in)?to\s+(?:be\s+)?(?P<by>.+)")),
        ("change",
            (r"\b(?:make|turn|paint|dye|recolou?r"
            r"|(?<!el )(?<!a )(?<!the )colou?r)s?\s+(?P<target>(?:the\s+|his\s+|her\s+"
            r"|its\s+)?(?:\w+\s+){0,3}?(?:\w+|[\uE000-\uF8FF]))\s+(?:look\s+(?:like\s+)?|into\s+)?(?P<by>\S.*)")),
        ("give", r"\bgive\s+(?P<target>.+?)\s+(?P<by>(?:an?|some)\s+.+)"),
        ("remove", r"\b(?:remove|delete|erase|get rid of|take out|take away)s?\s+(?P<target>.+)"),
        ("insert", r"\b(?:add|insert|put|place|include|introduce)s?\s+(?P<by>.+)"),
        ("change",
            (r"(?:把|将|使|让|用)?(?P<target>.+?)(?:都|全部|整体)?(?:替换成|替换为|更换为|更换成"
            r"|换成|换为|变换为|改成|改为|修改为|修改成|变成|变为|转换为|转换成|转为|转成|染成"
            r"|调成|调整为|替换)(?:了)?(?P<by>.+)")),
        ("change_from", r"用(?P<by>.+?)(?:替换|替代|代替|取代)(?:掉)?(?P<target>.+)"),
        ("remove", r"(?:去掉|去除|移除|删除|删掉|擦除|消除|抹去|抹掉)(?P<target>.+)"),
        ("remove", r"(?:把|将)(?P<target>.+?)(?:去掉|去除|移除|删除|删掉|擦除|消除|抹去|抹掉)"),
        ("insert", r"(?:添加|加上|增加|加入|插入|放上|新增|添上|放入|放置|加)(?:一些|了)?(?P<by>.+)"),
        ("insert_in", r"(?:给|为|在)(?P<where>.+?)(?:添加|加上|增加|加入|插入|放上|戴上|穿上|加)(?P<by>.+)"),
        ("change",
            (r"(?P<target>.+?)(?:を|は)(?P<by>.+?)(?:に|へ|と)(?:置き換え|置換|変え|変更|替え"
            r"|入れ替え|差し替え|変換|すり替え|塗り替え|して|する|変わ|染め)")),
        ("remove", r"(?P<target>.+?)を(?:削除|消し|消す|消去|取り除|除去|なくし)"),
        ("insert", r"(?P<by>.+?)を(?:追加|加え|入れ|足し|足す|挿入|合成|置い|配置)"),
        ("change_all", r"^(?P<by>[^をは]+?)に(?:して|する|変え|変更)"),
        ("change",
            (r"\b(?:reemplaz\w+|sustitu\w+|substitu\w+|troqu?\w+|cambi\w+)\s+(?P<target>.+?)\s+(?:por"
            r"|con|com)\s+(?P<by>.+)")),
        ("change",
            (r"\b(?:cambi\w+|conviert\w+|convert\w+|transform\w+|mud\w+|alter\w+|pint\w+|torn\w+"
            r"|deix\w+|haz|faca|pon)\s+(?P<target>.+?)\s+(?:a|al|en|em|para|de|num|numa)\s+(?P<by>.+)")),
        ("change_all",
            (r"\b(?:conviert\w+|convert\w+|transform\w+|haz|faca|deix\w+|mud\w+)(?:lo|la|e-o)?\s+(?:que\s+sea\s+"
            r"|em\s+|en\s+|para\s+|a\s+)(?P<by>.+)")),
        ("remove", r"\b(?:elimin\w+|quit[ae]\w*|borr[ae]\w*|remov\w+|apagu\w+|retir\w+|exclu\w+)\s+(?P<target>.+)"),
        ("insert",
            (r"\b(?:anad\w+|agreg\w+|adicion\w+|acrescent\w+|insert\w+|insir\w+|coloqu\w+|coloc\w+"
            r"|pon)\s+(?P<by>.+)")),
        ("change",
            (r"\b(?:ganti\w*|ubah\w*|tukar\w*|jadikan|buat)\s+(?P<target>.+?)\s+(?:dengan|menjadi"
            r"|jadi|ke)\s+(?P<by>.+)")),
        ("remove", r"\b(?:hapus\w*|hilangkan|buang|singkirkan)\s+(?P<target>.+)"),
        ("insert", r"\b(?:tambah\w*|sisipkan|masukkan|letakkan)\s+(?P<by>.+)"),
        *_MORE,
        ("change_all", r"\b(?:jadikan|buat)\s+(?P<by>.+)"),
    )
)  # fmt: skip
BACKGROUND = re.compile(
    r"\b(?:background|backdrop|fondo|fundo|latar(?: belakang)?|sky|setting|scene|escenario|cenario)\b|背景|场景|天空"
)
STYLE_WORD = re.compile(r"\b(?:style|estilo|gaya|look|aesthetic|filter)\b|风格|画风|スタイル|風|滤镜")
TEXT_WORD = re.compile(
    r"\b(?:text|title|caption|subtitle|words?|slogan|texto|titulo|legenda|teks|judul"
    r"|tulisan)\b|文字|字幕|标题|テキスト|字样|テロップ"
)
WHOLE = re.compile(
    rf"^(?:(?:the|whole|entire|all|el|la|o|a|todo|toda|整个|整段|it|everything|this"
    rf"|of|scene|footage|把|将|style|estilo|gaya|do|del|de|em|"
    rf"画面|整体|风格|スタイル|time of day|weather|lighting|天气|时间|light|clima|tempo"
    rf"|hora|cuaca|waktu|天候|時間|全体|の)\s*|{MARK}|\s|的|video|clip|视频|動画)*$"
)
RELATIVE = re.compile(
    r"\s+(?:to|in|into|on|onto|at|above|over|below|under|near|behind|beside|next to"
    r"|flying|standing|sitting|walking|running|from"
    r"|en|sobre|encima|arriba|abajo|volando|al|a la|na|no|em|voando|terbang|di|ke|pada|dari|yang|from|with)\s.*$"
    r"|\s+(?:fly|flies|appear|appears|walk|walks|run|runs|swim|swims|jump|jumps|float|floats|stand"
    r"|stands|sit|sits|come|comes)\b.*$"
)

COLOUR_OF = re.compile(
    r"^(?:the\s+)?colou?rs?\s+of\s+(?:the\s+)?|^(?:el|a|la|o)?\s*(?:color|cor)\s+d(?:el|e la|e los|e"
    r"|o|a|os|as)\s+|^warna\s+"
    r"|的颜色$|颜色$|の色$"
)
