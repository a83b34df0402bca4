"""Words that are seen in the picture, told apart from what is said."""

import pytest

from understudy.engines.previz.plan import FilmPlan, TextKind
from understudy.engines.previz.planning.planner import plan_film


def plan_of(prompt: str) -> FilmPlan:
    return plan_film(prompt, ratio="16:9", duration_s=8, ratios=("16:9",), duration_range_s=(4, 15))


def texts(prompt: str) -> list[tuple[str, str]]:
    return [(text.text, text.kind.value) for shot in plan_of(prompt).shots for text in shot.texts]


@pytest.mark.parametrize(
    ("prompt", "text", "kind"),
    [
        ("The text 'SALE' appears at the top", "SALE", "caption"),
        ('A dog runs. "GO" flashes on screen', "GO", "caption"),
        ("A sneaker spins, text SALE NOW", "SALE NOW", "caption"),
        ('Title card: "The End"', "The End", "title"),
        ("Title card: The End", "The End", "title"),
        ('Subtitle: "Long ago"', "Long ago", "subtitle"),
        ("A cat sits; a speech bubble says “Hi”", "Hi", "bubble"),
        ("A neon sign that says “OPEN” blinks", "OPEN", "sign"),
        ('A billboard reads "FUTURE"', "FUTURE", "sign"),
        ("字幕：“你好”", "你好", "subtitle"),
        ("字幕：很久以前", "很久以前", "subtitle"),
        ("招牌上写着“咖啡”", "咖啡", "sign"),
        ("屏幕上出现文字“第一章”", "第一章", "caption"),
        ("画面下に字幕「こんにちは」", "こんにちは", "subtitle"),
        ("看板に「営業中」と書かれている", "営業中", "sign"),
        ("吹き出し「やあ」", "やあ", "bubble"),
        ('Un letrero dice "CERRADO"', "CERRADO", "sign"),
        ('Texto en pantalla: "Oferta"', "Oferta", "caption"),
        ('Uma placa escrita "ABERTO"', "ABERTO", "sign"),
        ('Legenda: "Era uma vez"', "Era uma vez", "subtitle"),
        ('Papan bertuliskan "BUKA"', "BUKA", "sign"),
        ('Teks di layar "DISKON"', "DISKON", "caption"),
    ],
)
def test_written_words_are_seen_and_not_said(prompt: str, text: str, kind: str) -> None:
    assert texts(prompt) == [(text, kind)]
    assert plan_of(prompt).lines == ()


@pytest.mark.parametrize(
    "prompt",
    [
        'A man in front of a sign says "Hello"',
        'A caption appears while the man whispers "Hello"',
        "男人站在招牌前说：“Hello”",
        'Una mujer junto al cartel grita: "Hello"',
    ],
)
def test_who_speaks_near_a_sign_is_heard(prompt: str) -> None:
    plan = plan_of(prompt)
    assert [line.text for line in plan.lines] == ["Hello"]
    assert plan.main.texts == ()


def test_a_brand_is_neither_said_nor_shown() -> None:
    plan = plan_of("A drink of the brand 'Peace Apple' on a table")
    assert (plan.lines, plan.main.texts) == ((), ())


def test_words_on_a_sign_drive_no_picture() -> None:
    assert [subject.art for subject in plan_of('A cat below a sign that says "DRAGON"').main.subjects] == ["cat"]


def test_a_text_stands_where_the_prompt_puts_it() -> None:
    assert plan_of('The text "SALE" appears at the top').main.texts[0].place == "top"
    assert plan_of("底部字幕：“你好”").main.texts[0].place == "bottom"


def test_a_bubble_belongs_to_who_is_named() -> None:
    (bubble,) = plan_of("A cat and a dog sit. The dog has a speech bubble “Woof”").main.texts
    assert (bubble.kind, bubble.speaker) == (TextKind.BUBBLE, 1)


@pytest.mark.parametrize(
    "prompt",
    [
        'A man says "Hello" with subtitles',
        "男人说：“你好”，配有中文字幕",
        "男が「こんにちは」と言う、字幕付き",
        'Un hombre dice "Hola", con subtítulos',
        'Um homem diz "Oi", com legendas',
        'Seorang pria berkata "Halo" dengan subtitle',
    ],
)
def test_lines_are_shown_when_subtitles_are_asked_for(prompt: str) -> None:
    plan = plan_of(prompt)
    assert [(text.text, text.kind) for text in plan.main.texts] == [(plan.lines[0].text, TextKind.SUBTITLE)]


def test_no_subtitles_are_shown_where_none_are_wanted() -> None:
    assert texts('A man says "Hello", no subtitles') == []
    assert texts("男人说：“你好”，不要字幕") == []


def test_subtitles_follow_one_another() -> None:
    first, second = plan_of('With subtitles: a man says "Hello". A woman says "Good morning to you".').main.texts
    assert first.start_s == 0
    assert first.end_s == second.start_s
    assert second.end_s == pytest.approx(8)
    assert second.end_s - second.start_s > first.end_s


def test_a_text_is_seen_in_its_shot() -> None:
    plan = plan_of('0-4s: a cat. 4-8s: a dog, text "WOOF" on screen')
    assert [len(shot.texts) for shot in plan.shots] == [0, 1]
