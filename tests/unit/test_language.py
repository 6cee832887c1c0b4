"""Which language a text is taken for, and when none."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bucketwise.analysis import STEMMERS, analyse
from ingest.language import MOST_CHARACTERS, MOST_WORDS, detect
from tests.unit.multilingual import MULTILINGUAL

SENTENCES = {
    "ca": "El contracte es pot acabar en qualsevol moment, però cal avisar amb un mes d'antelació i pagar el que "
    "falta.",
    "cs": "Smlouva může být ukončena kdykoli, ale je třeba to oznámit měsíc předem a zaplatit to, co ještě zbývá.",
    "da": "Aftalen kan siges op når som helst, men det skal ske med en måneds varsel, og hvad der mangler, skal "
    "betales.",
    "el": "Η σύμβαση μπορεί να λήξει οποτεδήποτε, αλλά πρέπει να δοθεί προειδοποίηση ενός μήνα.",
    "eo": "La kontrakto povas esti finita ĉiam, sed oni devas diri tion unu monaton antaŭe kaj pagi kion oni ŝuldas.",
    "et": "Lepingu võib lõpetada igal ajal, aga sellest tuleb teatada kuu aega ette ja maksta see, mis on veel "
    "maksmata.",
    "eu": "Kontratua noiznahi amaitu daiteke, baina hilabete lehenago jakinarazi behar da eta falta dena ordaindu.",
    "fa": "قرارداد را می‌توان در هر زمان پایان داد، اما باید یک ماه پیش از آن خبر داد و آنچه را که مانده است پرداخت.",
    "fi": "Sopimus voidaan päättää milloin tahansa, mutta siitä on ilmoitettava kuukautta ennen, ja se mitä on "
    "jäljellä, tulee maksaa.",
    "fr": "Le contrat peut prendre fin à tout moment, mais il faut prévenir un mois avant et payer ce qui reste dû.",
    "ga": "Is féidir an conradh a chríochnú am ar bith, ach caithfidh tú é sin a rá mí roimh ré agus an méid atá "
    "fágtha a íoc.",
    "hu": "A szerződés bármikor felmondható, de ezt egy hónappal előtte közölni kell, és ki kell fizetni azt, ami "
    "még hátra van.",
    "hy": "Պայմանագիրը կարող է դադարեցվել ցանկացած ժամանակ, բայց դրա մասին պետք է հայտնել մեկ ամիս առաջ։",
    "id": "Kontrak ini dapat diakhiri kapan saja, tetapi harus diberitahukan sebulan sebelumnya dan sisanya dibayar.",
    "it": "Il contratto può finire in ogni momento, ma si deve avvisare un mese prima e pagare quello che resta.",
    "ja": "契約はいつでも終了できますが、一か月前に知らせて、残りを支払わなければなりません。",
    "ko": "계약은 언제든지 끝낼 수 있지만 한 달 전에 알리고 남은 금액을 지불해야 합니다.",
    "lt": "Sutartis gali būti nutraukta bet kada, tačiau apie tai reikia pranešti prieš mėnesį ir sumokėti tai, kas"
    " liko.",
    "ne": "यो सम्झौता जुनसुकै बेला अन्त्य गर्न सकिन्छ तर एक महिना अघि खबर गर्ने र बाँकी रहेको रकम तिर्ने काम भने पहिले नै हुन्छ।",
    "nl": "Het contract kan op elk moment worden beëindigd, maar dat moet een maand van tevoren en wat er nog open "
    "staat moet worden betaald.",
    "no": "Avtalen kan sies opp når som helst, men det må skje med en måneds varsel, og det som mangler, må betales"
    " etter dette.",
    "pl": "Umowa może być rozwiązana w każdej chwili, ale trzeba o tym powiedzieć miesiąc przed końcem i zapłacić "
    "za to, co jest jeszcze otwarte.",
    "pt": "O contrato pode acabar a qualquer momento, mas é preciso avisar com um mês e pagar o que ainda não foi "
    "pago.",
    "ro": "Contractul poate fi încheiat oricând, dar trebuie să se anunțe cu o lună înainte și să se plătească ce "
    "mai este de plată.",
    "ru": "Договор может быть расторгнут в любое время, но об этом нужно сказать за месяц и заплатить то, что еще "
    "не уплачено.",
    "sr": "Уговор може да се раскине у свако време, али је за то потребно да се јави месец дана раније и да се "
    "плати све што је остало.",
    "sv": "Avtalet kan sägas upp när som helst, men det ska ske en månad i förväg, och det som är kvar måste betalas.",
    "ta": "ஒப்பந்தத்தை எப்போது வேண்டுமானாலும் முடிக்கலாம், ஆனால் ஒரு மாதம் முன்பு தெரிவிக்க வேண்டும்.",
    "tr": "Sözleşme her zaman sona erdirilebilir, ama bunun için bir ay önce haber vermek ve kalan ne ise onu "
    "ödemek gerekir, çünkü bu daha sonra olmaz.",
    "yi": "מען קען דעם קאנטראקט ענדיקן ווען מען וויל, אבער מען דארף עס זאגן א חודש פריער און באצאלן וואס עס איז נאך"
    " געבליבן.",
} | {passages.language: passages.texts[0] for passages in MULTILINGUAL}


@pytest.mark.parametrize("language", SENTENCES)
def test_a_sentence_or_two_tell_their_language(language: str) -> None:
    assert detect(SENTENCES[language]) == language


def test_every_language_with_a_stemmer_can_be_told() -> None:
    assert SENTENCES.keys() >= STEMMERS.keys()


def test_a_text_all_in_capitals_tells_its_language() -> None:
    assert detect(SENTENCES["fr"].upper()) == "fr"


@pytest.mark.parametrize(
    "text",
    [
        "", " \n", "House", "The colour of money", "the of and " + "Anna Berlin Carl Dora " * 10,
        "Annual report 2024", "1,234.50 99 12:30 " * 50, "+++ --- ***", "SKU-12/ABX Q4 v2.1 " * 20,
        "x = y[0]; foo(bar, baz); return qux;" * 5,
    ],
)  # fmt: skip
def test_what_is_short_or_no_prose_is_in_no_language(text: str) -> None:
    assert detect(text) == ""


def test_few_kana_between_han_make_a_text_japanese() -> None:
    assert detect("東京都の天気は晴れ") == "ja"
    assert detect("中文文章里有一个の字而已没有别的假名") == "zh"


def test_a_word_in_another_script_does_not_change_the_language() -> None:
    assert detect(f"The word for this in Chinese is 检索, and there are others. {SENTENCES['en']}") == "en"


def test_as_much_of_one_language_as_of_another_is_none() -> None:
    tied = "the of and by with from " * 3 + "der die das und ist nicht " * 3
    assert detect(tied) == ""


def test_a_language_without_a_stemmer_whose_words_are_its_own_is_none() -> None:
    assert detect("Hợp đồng có thể chấm dứt bất cứ lúc nào, nhưng phải báo trước một tháng và trả hết số tiền.") == ""


def test_only_the_beginning_counts() -> None:
    german, english = (SENTENCES[language] + "\n" for language in ("de", "en"))
    enough = MOST_WORDS // 20
    assert len(german) * enough + len(english) * 2 * enough < MOST_CHARACTERS
    assert detect(german * enough + english * 2 * enough) == "de"
    assert detect("1234567 " * (MOST_CHARACTERS // 8) + english) == ""


@given(st.text())
def test_any_text_has_a_code_or_none(text: str) -> None:
    assert detect(text) in {"", "ja", "ko", "th", "zh", *STEMMERS}


@pytest.mark.parametrize("change", [str.upper, str.title, str.lower])
def test_how_capitals_are_used_changes_nothing(change: Callable[[str], str]) -> None:
    assert detect(change(SENTENCES["sv"])) == "sv"


def test_the_code_is_one_that_the_analysis_knows() -> None:
    text = SENTENCES["de"]
    assert analyse(text, detect(text)) == analyse(text, "de") != analyse(text, "")
