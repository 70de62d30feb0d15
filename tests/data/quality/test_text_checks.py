"""Checks of texts: language, copies, length, truncation, negation, names, glossary, markup, characters."""

import pytest

from .conftest import Find


@pytest.mark.parametrize(
    ("text", "to", "severity"),
    [
        ("下列药物中哪一种不是抗生素？", "zh", None),
        ("次の薬剤のうち、抗菌薬でないのはどれか。", "zh", "block"),
        ("下列药物中哪一种不是抗生素？请选择最合适的答案。", "ja", "block"),
        ("다음 약물 중 항생제가 아닌 것은 무엇인가?", "ja", "block"),
        ("Which of the following drugs is not an antibiotic?", "zh", "block"),
        ("患者的 CRP、ESR 和 D-dimer 均升高", "zh", None),
        ("下列藥物對這個過程沒有關係", "zh", "review"),
        ("El paciente tiene лихорадка desde hace tres días.", "es", "review"),
        ("La dosis de β-lactámicos y de TGF-α es correcta.", "es", None),
        ("Aspirina", "es", None),
    ],
)
def test_language_goes_by_script_and_detector(find: Find, text: str, to: str, severity: str | None) -> None:
    found = find("language", "What follows?", text, to=to)
    assert [one.severity for one in found] == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("text", "to", "severity"),
    [
        ("tuve fiebre ayer", "zh", "block"),
        ("IL-6 (pg/mL)", "zh", None),
        ("tuve fiebre ayer y tengo tos", "pt", "block"),
        ("tive febre ontem e tenho tosse", "es", "block"),
        ("El glicerol se agrega como humectante y es muy seguro.", "pt", "block"),
        ("Há escassez de máscaras no mundo todo e não há vacinas.", "es", "block"),
        ("El glicerol se agrega como humectante y es muy seguro.", "es", None),
        ("Há escassez de máscaras no mundo todo e não há vacinas.", "pt", None),
        ("Picha na Araçaí Gonçálvez na João Alcâno", "sw", None),
        ("I-Disney neNetflix e-New Delhi ngo-2017", "zu", None),
    ],
)
def test_near_languages_and_short_texts_are_told_by_words_and_letters(
    find: Find, text: str, to: str, severity: str | None
) -> None:
    found = find("language", "What follows?", text, to=to)
    assert [one.severity for one in found] == ([severity] if severity else [])


def test_units_are_no_words_of_another_language(find: Find) -> None:
    options = ("100 µg", "10 µg", "10000 µg", "1000 µg")
    question = ("0.1 mg, written in µg, is:", "U-0.1 mg, uma ubhalwa ngo-µg, ungu:")
    assert not find("language", *question, to="zu", options=(options, options))


def test_a_field_in_another_script_is_found_in_a_right_whole(find: Find) -> None:
    good = "El paracetamol baja la fiebre, pero no actúa contra las bacterias que causan la infección del paciente."
    (found,) = find("language", "Q?", "下列药物中哪一种不是抗生素？", to="es", rationale=("", good))
    assert (found.severity, found.field) == ("block", "question")


def test_a_name_may_be_copied_and_a_sentence_may_not(find: Find) -> None:
    options = (("Staphylococcus aureus", "Hepatitis B"),) * 2
    assert not find("copied", "Which one?", "¿Cuál?", to="es", options=options)
    (half,) = find(
        "copied", "The dose of the drug is high.", "La dosis es alta: the dose of the drug is high.", to="es"
    )
    assert half.severity == "block"
    quoted = (
        "The agency said so. According to the Centers for Disease Control and Prevention of the states, it spreads."
    )
    translated = (
        "La agencia lo dijo. Según los Centers for Disease Control and Prevention, se propaga en varios lugares."
    )
    (part,) = find("copied", quoted, translated, to="es")
    assert part.severity == "review"


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("Tired nurses.", "review"),
        ("Patients recovered slowly.", "review"),
        ("The dose of the drug is high.", "block"),
        ("pic.example.com/FfEPJTMiz2", None),
        ("#SupportUs @PoliceUg", None),
        ("CRP 45", None),
    ],
)
def test_a_question_that_reads_the_same_is_asked_about(find: Find, text: str, severity: str | None) -> None:
    found = find("copied", text, text, to="sw")
    assert [one.severity for one in found] == ([severity] if severity else [])
    assert not find("copied", "Which?", "Gani?", to="sw", reference=(("Tired nurses.",),) * 2)


def test_an_original_in_the_language_asked_for_was_not_left_untranslated(find: Find) -> None:
    wolof = "Li ñu bëgg ak li ma xam ci réew mi yépp ak ci biir kër gi."
    assert not find("copied", wolof, wolof, to="wo", by="fr")
    french = "Le patient a de la fièvre et une toux depuis une semaine."
    (found,) = find("copied", french, french, to="wo", by="fr")
    assert found.severity == "block"


def test_characters_copied_between_east_asian_languages(find: Find) -> None:
    chinese = "一名四十五岁女性发热三天，下列药物中哪一种不是抗生素？"
    (found,) = find("copied", chinese, chinese, to="ja", by="zh")
    assert found.severity == "block"
    assert not find(
        "copied", "急性心筋梗塞の患者に投与する薬はどれか。", "急性心筋梗塞환자에게 투여하는 약은?", to="ko", by="ja"
    )


def test_all_options_as_they_were_are_asked_about(find: Find) -> None:
    words = ("Chronic myeloid leukemia", "Acute myeloid leukemia")
    (found,) = find("copied", "Which?", "¿Cuál?", to="es", options=(words, words))
    assert (found.severity, found.field) == ("review", "options")


def test_length_is_judged_beside_what_is_usual_for_the_two_languages(find: Find) -> None:
    english = (
        "The patient was admitted with chest pain and a high fever, and the doctors gave antibiotics at once. " * 2
    )
    chinese = "患者因胸痛和高热入院，医生立即给予抗生素治疗。" * 2
    assert not find("length", english, chinese, to="zh")
    (short,) = find("length", english, chinese[:8], to="zh")
    assert (short.severity, short.field) == ("block", "question")
    assert short.message.startswith("too short: 8 graphemes")
    (long,) = find("length", english, english * 3, to="es")
    assert long.message.startswith("too long")


def test_length_says_where_its_band_is_an_estimate(find: Find) -> None:
    (found,) = find("length", "A long text about nothing at all. " * 9, "모름", to="ko")
    assert found.message.endswith("not measured in these languages")


@pytest.mark.parametrize(
    ("target", "severity"),
    [
        ("El paciente ingresó con dolor torácico y fiebre alta.", None),
        ("El paciente fue ingresado con dolor torácico y fiebre muy alta", "review"),
        ("El paciente ingresó con dolor torácico y", "block"),
        ("El paciente ingresó con dolor torácico,", "block"),
        ("El paciente fue ingresado ayer con dolor torácico y fiebre alta de", "block"),
        ("El paciente ingresó", "block"),
    ],
)
def test_truncation_is_a_lost_end_and_lost_words(find: Find, target: str, severity: str | None) -> None:
    found = find("truncation", "The patient was admitted with chest pain and a high fever.", target, to="es")
    assert [one.severity for one in found] == ([severity] if severity else [])


def test_an_option_may_lose_its_full_stop(find: Find) -> None:
    options = (("Acute myeloid leukemia, relapsed.",), ("Leucemia mieloide aguda en recaída",))
    assert not find("truncation", "?", "?", to="es", options=options)


ASKED = {
    "en": ("All of the following are antibiotics EXCEPT:", "Which of the following is an antibiotic:"),
    "es": ("Todos son antibióticos excepto:", "Todos los siguientes son antibióticos:"),
    "fr": ("Tous sont des antibiotiques, sauf :", "Tous les suivants sont des antibiotiques :"),
    "de": ("Alle sind Antibiotika außer:", "Alle folgenden Mittel sind Antibiotika:"),
    "pt": ("Todos são antibióticos, exceto:", "Todos os seguintes são antibióticos:"),
    "zh": ("以下均为抗生素，除了：", "以下均为抗生素："),
    "ja": ("抗菌薬でないのはどれか。", "抗菌薬はどれか。"),
    "ko": ("항생제가 아닌 것은?", "항생제인 것은?"),
    "sw": ("Zote zifuatazo ni dawa za antibiotiki isipokuwa:", "Zote zifuatazo ni dawa za antibiotiki:"),
    "yo": ("Gbogbo wọn jẹ́ oògùn agbógunti kòkòrò àyàfi:", "Gbogbo wọn jẹ́ oògùn agbógunti kòkòrò:"),
    "zu": ("Konke kuyi-antibiotic ngaphandle kwe:", "Konke okulandelayo kuyi-antibiotic:"),
    "wo": ("Yépp antibiotig lañu, benn bi du ci:", "Yépp antibiotig lañu:"),
}


@pytest.mark.parametrize("code", [code for code in ASKED if code != "en"])
def test_a_question_that_no_longer_asks_for_the_exception_is_blocked(find: Find, code: str) -> None:
    options = (("a", "b"),) * 2
    (kept, lost), source = ASKED[code], ASKED["en"][0]
    assert not find("negation", source, kept, to=code, options=options)
    (found,) = find("negation", source, lost, to=code, options=options)
    assert (found.severity, found.field) == ("block", "question")


def test_another_negation_lost_is_asked_about_and_rewording_passes(find: Find) -> None:
    (found,) = find("negation", "The drug is not safe.", "El fármaco es seguro.", to="es")
    assert found.severity == "review"
    assert not find("negation", "The drug is not safe.", "El fármaco es inseguro.", to="es")


def test_names_that_are_gone(find: Find) -> None:
    (gene,) = find("names", "A mutation of BRCA1 was found.", "Se halló una mutación.", to="es")
    assert (gene.severity, gene.message) == ("review", "not in the translation: BRCA1")
    (drug,) = find("names", "She takes amoxicillin daily.", "Toma paracetamol a diario.", to="es")
    assert drug.message == "not in the translation: amoxicillin"
    (other,) = find("names", "The TSH was low.", "La tirotropina era baja.", to="es")
    assert other.severity == "note"


def test_a_changed_letter_is_another_abbreviation(find: Find) -> None:
    (found,) = find("names", "The EU closed its borders.", "La UO cerró sus fronteras.", to="es")
    assert (found.severity, found.message) == ("note", "not in the translation: EU")


def test_a_drug_is_known_without_the_e_before_its_s(find: Find) -> None:
    spanish = "Se le trató con estreptomicina y una estatina."
    assert not find("names", spanish, "Elle a reçu de la streptomycine et une statine.", to="fr", by="es")
    (found,) = find("names", spanish, "Elle a reçu un antibiotique.", to="fr", by="es")
    assert found.message == "not in the translation: estatina, estreptomicina"


@pytest.mark.parametrize(
    ("source", "target", "to"),
    [
        ("The EU and the DNA and PCR tests, with FEV1 low.", "La UE y las pruebas de ADN y RCP, con VEF1 bajo.", "es"),
        ("In mid-January the Director-General of AlphaCare spoke.", "A mediados de enero habló el director.", "es"),
        ("A patient with AIDS had an ECG.", "Un paciente con SIDA se hizo un EKG.", "es"),
        ("It is NOT true of the HbA1c.", "No es cierto de la HbA1c.", "es"),
        ("SARS-CoV-2-infected people have COVID-19.", "Las personas con SARS CoV-2 tienen covid-19.", "es"),
        ("She takes amoxicillin.", "Toma amoxicilina.", "es"),
        ("She takes doxycycline.", "Elle prend de la doxycycline.", "fr"),
        ("Stage III disease.", "Enfermedad en estadio 3.", "es"),
    ],
)
def test_names_kept_or_written_as_the_language_does(find: Find, source: str, target: str, to: str) -> None:
    assert not find("names", source, target, to=to)


def test_a_glossary_binds_where_one_is_given(find: Find) -> None:
    terms = {"heart failure": ["insuficiencia cardíaca", "insuficiencia cardiaca"], "failure": ["fallo"]}
    source, good = "She has heart failure.", "Tiene insuficiencia cardiaca."
    assert not find("glossary", source, "Tiene el corazón roto.", to="es")
    assert not find("glossary", source, good, to="es", glossary=terms)
    (found,) = find("glossary", source, "Tiene el corazón roto.", to="es", glossary=terms)
    assert (found.severity, found.message.startswith("'heart failure'")) == ("review", True)
    assert not find("glossary", source, "Tiene insuficiencias cardíacas.", to="es", glossary=terms)


@pytest.mark.parametrize(
    ("source", "target", "severities"),
    [
        ("Take {dose} of ____ daily.", "Tome {dose} de ____ al día.", []),
        ("Take {dose} daily.", "Tome {dosis} al día.", ["block", "block"]),
        ("Take ____ daily.", "Tome al día.", ["block"]),
        ("<b>Not</b> safe", "<b>No</b> seguro", []),
        ("<b>Not</b> safe", "No seguro", ["review"]),
        ("If x < 5 and y > 3", "Si x < 5 e y > 3", []),
        ("| a | b |\n| c | d |", "| a | b |", ["review"]),
        (r"\frac{1}{2} of it", "la mitad", ["review"]),
        ("See https://who.int/x now", "Vea https://who.int/x ya", []),
    ],
)
def test_markup(find: Find, source: str, target: str, severities: list[str]) -> None:
    assert [one.severity for one in find("markup", source, target, to="es")] == severities


@pytest.mark.parametrize(
    ("target", "to", "severities"),
    [
        ("El niño tiene fiebre.", "es", []),
        ("El ni\ufffdo tiene fiebre.", "es", ["block"]),
        ("El niÃ±o tiene fiebre.", "es", ["block"]),
        ("El ni\x00ño tiene fiebre.", "es", ["review"]),
        ("El nin\u0303o tiene\u200b fiebre.", "es", ["note", "note"]),
        ("Son 5 mg.", "es", []),
        ("Son ５ mg.", "es", ["review"]),
        ("剂量为５mg。", "zh", ["note"]),
        ("Ó ti gbà oògùn náà lẹ́ẹ̀mejì ní ọjọ́ kan, ṣùgbọ́n kò ràn án lọ́wọ́ rárá.", "yo", []),
        ("O ti gba oogun naa leemeji ni ojo kan, sugbon ko ran an lowo rara ni gbogbo igba yii.", "yo", ["review"]),
        ("NÃO É VERDADE.", "pt", []),
    ],
)
def test_characters(find: Find, target: str, to: str, severities: list[str]) -> None:
    assert [one.severity for one in find("characters", "The child has a fever.", target, to=to)] == severities


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("He should call 911 at once.", "US: emergency number 911"),
        ("Her temperature is 101 °F.", "US: unit °F"),
        ("The NICE guideline says so.", "GB: guideline NICE"),
        ("It is a nice guideline.", None),
        ("Serum glucose is 110 mg/dL.", "countries with conventional units: unit mg/dL"),
        ("Serum glucose is 6.1 mmol/L.", "countries with SI units: unit mmol/L"),
        ("He counted 911 cells.", None),
        ("Según el Real Decreto, se vacuna.", "ES: agency or payer Real Decreto"),
        ("She came back with malaria.", "tropics: endemic disease malaria"),
    ],
)
def test_region_notes_what_binds_an_item_to_a_country(find: Find, text: str, message: str | None) -> None:
    found = find("region", text, "…", to="zh")
    assert [(one.severity, one.message) for one in found] == ([("note", message)] if message else [])
