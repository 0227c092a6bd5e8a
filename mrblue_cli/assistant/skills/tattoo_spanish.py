"""Keywords of a tattoo as they are said to a Spanish ear; services get the English ones."""

from __future__ import annotations

from mrblue_cli.core.texts import language

_WORDS = {
    name.strip(): said.strip()
    for name, _, said in (
        line.partition(":")
        for line in """
    traditional: tradicional
    neo-traditional: neotradicional
    japanese: japonés
    realism: realismo
    minimalist: minimalista
    geometric: geométrico
    watercolor: acuarela
    biomechanical: biomecánico
    surrealism: surrealismo
    sketch: boceto
    illustrative: ilustrativo
    lettering: letras
    new school: nueva escuela
    cartoon: caricatura
    gothic: gótico
    abstract: abstracto
    celtic: celta
    polynesian: polinesio
    dotwork: puntillismo
    linework: líneas
    fine line: línea fina
    single needle: una sola aguja
    shading: sombreado
    blackwork: trabajo en negro
    handpoke: a mano
    etching: grabado
    cross-hatching: tramado
    negative space: espacio negativo
    white ink: tinta blanca
    forearm: antebrazo
    upper arm: bíceps
    arm: brazo
    sleeve: manga
    shoulder: hombro
    shoulder blade: omóplato
    wrist: muñeca
    hand: mano
    finger: dedo
    chest: pecho
    ribs: costillas
    stomach: abdomen
    back: espalda
    lower back: espalda baja
    neck: cuello
    face: cara
    behind the ear: detrás de la oreja
    hip: cadera
    thigh: muslo
    knee: rodilla
    calf: pantorrilla
    shin: espinilla
    leg: pierna
    ankle: tobillo
    foot: pie
    elbow: codo
    spine: columna
    collarbone: clavícula
    black and grey: negro y gris
    full color: a todo color
    pastel: pastel
    neon: neón
    muted: tonos apagados
    monochrome: monocromo
    black: negro
    grey: gris
    white: blanco
    red: rojo
    orange: naranja
    yellow: amarillo
    green: verde
    blue: azul
    turquoise: turquesa
    purple: morado
    pink: rosa
    brown: marrón
    gold: dorado
    silver: plateado
    """.strip().splitlines()
    )
}
_SIDES = {
    "left": ("izquierdo", "izquierda"),
    "right": ("derecho", "derecha"),
    "inner": ("interior", "interior"),
    "outer": ("exterior", "exterior"),
    "upper": ("superior", "superior"),
    "lower": ("inferior", "inferior"),
}
_FEMININE = frozenset(
    {"manga", "muñeca", "mano", "costillas", "espalda", "cara", "cadera", "rodilla", "pantorrilla", "espinilla"}
    | {"pierna", "columna", "clavícula"}
)


def keyword_said(value: str) -> str:
    """One value, or several with commas, in the language in use; what is in no list is said as it stands."""
    if language() != "es":
        return value
    return ", ".join(_said(part.strip()) for part in value.split(","))


def _said(part: str) -> str:
    if part in _WORDS:
        return _WORDS[part]
    side, _, place = part.partition(" ")
    if side not in _SIDES or place not in _WORDS:
        return part
    zone = _WORDS[place]
    masculine, feminine = _SIDES[side]
    word = feminine if zone.split()[0] in _FEMININE else masculine
    return f"{zone} {word}s" if zone == "costillas" else f"{zone} {word}"
