"""Data cards: what each data set is, who may have it, and what to beware of when a number rests on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ferbook.datasets.ferplus import CHANGED_VOTES, OFFICIAL_CHECKSUM, VOTE_TABLE_CHECKSUM
from ferbook.faces.emotions import EMOTIONS


@dataclass(frozen=True)
class Card:
    """The facts about one data set that a reader of its numbers needs.

    Parameters
    ----------
    name: the reader's module.
    title, citation: what it is called and what to cite.
    counts: how many faces (or students) each part or published form holds.
    labels: the emotions it names, in the library's words and order; empty for none.
    annotation: how the labels came about.
    subjects: what is known about who is shown.
    terms: licence or agreement.
    where: where to ask for it.
    caveats: leakage and other traps, one sentence each.
    checksums: sha256 of what was published and does not change, by file, or of a release's content.
    """

    name: str
    title: str
    citation: str
    counts: Mapping[str, int]
    labels: tuple[str, ...]
    annotation: str
    subjects: str
    terms: str
    where: str
    caveats: tuple[str, ...]
    checksums: Mapping[str, str] = field(default_factory=dict)

    @property
    def how_to_get(self) -> str:
        """Two sentences for an error message: where the data is to be had, and how to say where it lies."""
        return f"{self.where} Set FERBOOK_DATA to the folder that holds it, or use the synthetic faces."


#: The seven emotions of FER2013, KDEF and JAFFE.
_SEVEN = tuple(name for name in EMOTIONS if name != "contempt")

_CARDS = (
    Card(
        name="synthetic",
        title="Synthetic faces of this book",
        citation="This project; see ferbook.synthesis.",
        counts={"default": 4000},
        labels=EMOTIONS,
        annotation="Known truth: the mixture that was drawn; votes of ten simulated annotators.",
        subjects="Drawn; no person appears in two parts.",
        terms="As this project.",
        where="Made on the spot by ferbook.datasets.load('synthetic').",
        caveats=(
            "It shows whether a mechanism can work, never that an empirical claim about people holds.",
            "Its votes follow the assumptions of ferbook.faces.raters.",
        ),
    ),
    Card(
        name="ferplus",
        title="FER+",
        citation="Barsoum, Zhang, Canton Ferrer, Zhang: Training deep networks for facial expression recognition with "
        "crowd-sourced label distribution. ICMI 2016. Images: Goodfellow et al.: Challenges in representation "
        "learning. ICONIP 2013.",
        counts={"train": 28_558, "valid": 3_579, "test": 3_573},
        labels=EMOTIONS,
        annotation="Ten crowd votes per face over eight emotions, unknown and not-a-face.",
        subjects="Unknown: pictures from web searches.",
        terms="Labels: MIT. Images: FER2013 of the ICML 2013 challenge; research use, not ours to redistribute.",
        where="Labels: github.com/microsoft/FERPlus; images: FER2013 on Kaggle.",
        caveats=(
            "288 faces of the official test part have an identical picture in the training part.",
            "People are not identified, so no split can keep them apart.",
            f"For {CHANGED_VOTES:,} faces the votes of fer2013new.csv are others than those of the label.csv files, on "
            "which this book's numbers rest.",
        ),
        checksums={
            "content of the complete release": OFFICIAL_CHECKSUM,
            "content with the votes of fer2013new.csv": VOTE_TABLE_CHECKSUM,
        },
    ),
    Card(
        name="fer2013",
        title="FER2013 with its own labels",
        citation="Goodfellow et al.: Challenges in representation learning: a report on three machine learning "
        "contests. ICONIP 2013.",
        counts={"train": 28_709, "valid (PublicTest)": 3_589, "test (PrivateTest)": 3_589},
        labels=_SEVEN,
        annotation="The emotion word that the picture was searched for, checked by a person: one of seven each.",
        subjects="Unknown: pictures from web searches.",
        terms="The ICML 2013 challenge's; research use, not ours to redistribute.",
        where="FER2013 on Kaggle: fer2013.csv or icml_face_data.csv of the challenge, or a copy as class folders.",
        caveats=(
            "The copy as class folders (train/angry/...) was saved as JPEG: its pixels are not quite FER2013's.",
            "It has no votes. FER+'s are joined by pixels, for which FER+'s own pictures must be at hand, too.",
            "Its labels and FER+'s majority often differ: papers on one do not compare with papers on the other.",
            "It holds no contempt.",
        ),
    ),
    Card(
        name="vad_fer2013",
        title="VAD annotation of FER2013, the published part",
        citation="Huo, Ge: papers 003 and 004; VAD-Net: multidimensional facial expression recognition in intelligent "
        "education system. arXiv 2512.06377.",
        counts={"pixels (20251228)": 464, "labels only (20240507)": 1_157, "labels found in FER+": 1_154},
        labels=_SEVEN,
        annotation="FER2013's single category; valence, arousal and dominance as whole numbers from -2 to 2, given by "
        "students: one value each, without a measure of agreement.",
        subjects="Unknown.",
        terms="As published with the authors' code; research use. Images as FER2013.",
        where="github.com/YeeHoran/VAD-Net, the authors' repository: publictest-20251228 and publictest-20240507; "
        "github.com/YeeHoran/Multi-task-Emotion-Recognition: the label tables of 2024 and the workbook of costs.",
        caveats=(
            "Both tables are parts of FER2013's PublicTest. A later readme of the authors names an archive (data.rar) "
            "of all annotations, which this book does not have.",
            "The repository of paper 003 held label tables of 31 faces of each test and 199 training rows when it was "
            "published (in March 2024). Their labels are read from a folder paper003, without pictures, for what a "
            "constant scores; so is its workbook of consistency costs.",
            "The categories are FER2013's: of the 1,109 joined faces without a tie in FER+, 399 have another majority.",
            "96 of the 1,154 joined faces have an identical picture in the training part of FER+.",
            "Four pictures were annotated twice, and each got two different points.",
            "Three of the labels-only rows are pictures that FER+ removed; they have no image here.",
        ),
        checksums={
            "publictest-20251228.csv": "6e547ba530ca2ea8abc767a77a1075405ed26a7b8cc0c8d7d05dc04aebbf1135",
            "publictest-20240507-labels.csv": "8013998ac24b92faf2767bc181c28016db720b848f964de90cdd6ffabeb3c42c",
        },
    ),
    Card(
        name="affectnet",
        title="AffectNet, manually annotated part",
        citation="Mollahosseini, Hasani, Mahoor: AffectNet: a database for facial expression, valence, and arousal "
        "computing in the wild. IEEE Transactions on Affective Computing, 2017.",
        counts={"train": 287_651, "valid": 4_000},
        labels=EMOTIONS,
        annotation="One annotator per face, for nearly all: one of eight expressions; valence and arousal in [-1, 1].",
        subjects="Unknown: pictures from web searches.",
        terms="Licence agreement, research only, signed by a lab manager or professor; no redistribution.",
        where="mohammadmahoor.com/pages/databases/affectnet: the request form asks for the signed agreement.",
        caveats=(
            "The test part was never published: papers that report a test accuracy used the validation part.",
            "The validation part is balanced (500 per expression); the training part is not (134,415 happy, 3,750 "
            "contempt).",
            "Dominance was not annotated.",
            "None, uncertain and no-face are left out; the counts are those of the eight expressions.",
            "In the original release one picture is an empty file (103/29a31ebf...); it is left out.",
        ),
    ),
    Card(
        name="jaffe",
        title="Japanese Female Facial Expression (JAFFE)",
        citation="Lyons, Akamatsu, Kamachi, Gyoba: Coding facial expressions with Gabor wavelets. FG 1998.",
        counts={"all": 213},
        labels=_SEVEN,
        annotation="The expression that was asked for.",
        subjects="10 women; initials in the file name.",
        terms="Non-commercial research, on request; citation required.",
        where="Zenodo record 3451524 (doi 10.5281/zenodo.3451524): ask for access there.",
        caveats=(
            "Two to four pictures of a person per expression: a split that does not go by subject tests on people it "
            "trained on.",
            "It holds no contempt.",
            "Posed in a laboratory by ten people: no estimate from it speaks for faces in the wild.",
        ),
    ),
    Card(
        name="ckplus",
        title="Extended Cohn-Kanade (CK+)",
        citation="Lucey, Cohn, Kanade, Saragih, Ambadar, Matthews: The extended Cohn-Kanade dataset (CK+). CVPRW 2010.",
        counts={"labelled sequences": 327, "sequences": 593, "CK+48 folder": 981, "ckextended.csv": 920},
        labels=EMOTIONS,
        annotation="Action units by certified coders; an emotion only where the units fit its prototype.",
        subjects="123 people, numbered in the file names; none in the table ckextended.csv.",
        terms="Agreement with the authors, research only; the 48-pixel forms are unofficial copies.",
        where="jeffcohn.net and the Affect Analysis Group, University of Pittsburgh: sign the agreement.",
        caveats=(
            "CK+48 holds the last three frames of each labelled sequence: a random split puts near-copies of its test "
            "pictures into training. Split by subject.",
            "The 981 pictures hold no neutral face; the table of 920 holds 593 neutral first frames and 327 last ones.",
            "The Usage column of the table splits at random, people not kept apart.",
        ),
    ),
    Card(
        name="kdef",
        title="Karolinska Directed Emotional Faces (KDEF)",
        citation="Lundqvist, Flykt, Öhman: The Karolinska directed emotional faces (KDEF). CD ROM, Karolinska "
        "Institutet, 1998.",
        counts={"all": 4_900, "frontal": 980, "frontal, one session": 490},
        labels=_SEVEN,
        annotation="The expression that was asked for.",
        subjects="70 people, 35 women and 35 men, in the file name.",
        terms="Non-commercial research; pictures may not be passed on.",
        where="kdef.se: register and accept the terms.",
        caveats=(
            "Every person poses every expression twice, in the sessions A and B: AF01 and BF01 are the same woman.",
            "Two files have damaged names (AF31V.JPG, AM31H.JPG) and two another size (AM05ANFR, BM10ANFR).",
            "Some of the profile pictures are almost black.",
            "It holds no contempt.",
        ),
    ),
    Card(
        name="academic",
        title="Learning measures of one class",
        citation="Huo, Ge: paper 004.",
        counts={"students": 24},
        labels=(),
        annotation="Marks; V, A and D once per student, with the values 1, 2, 5 and 10.",
        subjects="24 students; no names, and ids that do not tell them apart.",
        terms="As published with the authors' code; research use.",
        where="github.com/YeeHoran/Learning-Result-Prediction-by-VAD, the repository of the authors.",
        caveats=(
            "'failed' adds nothing to 'final': it is 1 exactly where the final mark is below 85.",
            "How V, A and D were put on a scale from 1 to 10 is not said.",
            "24 rows and 16 predictors.",
        ),
        checksums={"learningMeasure.csv": "d1d9a28cbde4ce1929ca15f6f035179817c27a84c53ea11adf71181427893200"},
    ),
)

#: Every card by the name of its reader.
CARDS: dict[str, Card] = {card.name: card for card in _CARDS}
