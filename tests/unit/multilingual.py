"""Short passages in seven languages, and a question that one of each three answers in other forms of its words."""

from dataclasses import dataclass

from bucketwise.analysis import NEUTRAL, STEMMERS
from bucketwise.keyword_terms import ANY, question_terms


@dataclass(frozen=True, slots=True)
class Passages:
    """``question`` is answered by the first of ``texts``; ``language`` is an ISO 639-1 code."""

    language: str
    question: str
    texts: tuple[str, str, str]


MULTILINGUAL = (
    Passages(
        "en",
        "How many holidays do new employees get?",
        (
            "Every new employee has twenty-five days of holiday in a year. What is not taken by the end of March is "
            "lost, unless the manager has agreed to something else.",
            "The boiler in the cellar has to be inspected once a year. The report of the inspector is kept with the "
            "other papers of the house for at least ten years.",
            "Our library lends books for four weeks. If nobody is waiting for a book, it can be kept for another four "
            "weeks, and there is no charge for that.",
        ),
    ),
    Passages(
        "de",
        "Welche Kündigungsfristen gelten für Verträge?",
        (
            "Der Vertrag kann von beiden Seiten mit einer Kündigungsfrist von drei Monaten zum Ende des Quartals "
            "beendet werden. Sie ist auch dann einzuhalten, wenn nichts anderes vereinbart wurde.",
            "Die Wärmepumpe steht hinter dem Haus und ist einmal im Jahr zu warten. Wer die Wartung nicht nachweist, "
            "verliert die Ansprüche gegen den Hersteller.",
            "In unserer Bäckerei wird das Brot noch von Hand gemacht. Es ruht über Nacht und kommt am Morgen für eine "
            "Stunde in den Ofen.",
        ),
    ),
    Passages(
        "es",
        "¿Cuándo se devuelven las fianzas a los inquilinos?",
        (
            "La fianza se devolverá al inquilino en el plazo de un mes desde la entrega de las llaves, siempre que el "
            "piso esté en el mismo estado en que lo recibió.",
            "El tren de la mañana sale a las siete y llega a la ciudad antes de las nueve. Los billetes se pueden "
            "comprar en la estación o por teléfono.",
            "Para hacer la tortilla hay que freír las patatas a fuego lento con un poco de cebolla. Después se añaden "
            "los huevos y se le da la vuelta.",
        ),
    ),
    Passages(
        "zh",
        "员工每年有多少天年假？",
        (
            "公司规定，每位员工工作满一年以后，可以享受十五天的带薪年假。没有用完的年假可以保留到第二年三月。",
            "这座桥建于一九三七年，全长两千多米。每天有十万辆汽车从桥上经过，所以每隔五年要检查一次。",
            "做这道菜要先把豆腐切成小块，用盐水煮两分钟，然后放进锅里和辣椒一起炒。",
        ),
    ),
    Passages(
        "th",
        "พนักงานลาพักร้อนได้กี่วัน",
        (
            "พนักงานที่ทำงานครบหนึ่งปีมีสิทธิลาพักร้อนได้สิบห้าวันต่อปี วันที่ไม่ได้ใช้จะเก็บไว้ใช้ในปีถัดไปได้ไม่เกินห้าวัน",
            "เครื่องปรับอากาศควรล้างทุกหกเดือน เพื่อให้ห้องเย็นเร็วและประหยัดไฟฟ้า",
            "ตลาดน้ำเปิดเฉพาะวันเสาร์และวันอาทิตย์ ผู้คนมาซื้อผลไม้และอาหารจากเรือ",
        ),
    ),
    Passages(
        "ar",
        "متى يحصل الموظفون على الراتب؟",
        (
            "يُدفع راتب الموظف في اليوم الأخير من كل شهر، وإذا كان هذا اليوم عطلة يدفع الراتب في اليوم الذي قبله. "
            "ولا يجوز أن يتأخر عن ذلك إلا بعد موافقة الإدارة.",
            "تقع المدينة القديمة على الساحل بين الجبل والبحر، وقد كانت منذ قرون مركزا للتجارة في المنطقة، وفيها سوق "
            "كبيرة لا تزال مفتوحة حتى اليوم.",
            "يجب أن تسقى هذه النباتات مرة في الأسبوع، وأن توضع في مكان لا تصل إليه الشمس. وفي الشتاء تحتاج إلى ماء "
            "أقل من ذلك.",
        ),
    ),
    Passages(
        "hi",
        "कर्मचारियों को कितनी छुट्टियाँ मिलती हैं?",
        (
            "हर कर्मचारी को साल में बीस दिन की छुट्टी मिलती है। जो छुट्टी साल के अंत तक नहीं ली जाती, वह अगले साल के लिए "
            "नहीं बचती है।",
            "यह पुल नदी के ऊपर सौ साल पहले बनाया गया था और आज भी इस पर से गाड़ियाँ जाती हैं। इसकी मरम्मत हर पाँच साल में होती है।",
            "चाय बनाने के लिए पहले पानी को उबालें और उसमें अदरक डालें। फिर दूध और चीनी के साथ इसे कुछ देर तक पकने दें।",
        ),
    ),
)


def asked(question: str) -> dict[str, list[int]]:
    """The question's terms by language; under NEUTRAL those of a text whose language is not known."""
    found: dict[str, list[int]] = {language: [] for language in (NEUTRAL, *STEMMERS)}
    for _, language, term in question_terms(question):
        found[NEUTRAL if language == ANY else language].append(term)
    return {language: list(dict.fromkeys(terms)) for language, terms in found.items()}
