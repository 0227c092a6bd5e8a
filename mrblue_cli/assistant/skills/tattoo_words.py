"""The words of tattoos in English and Spanish: styles, techniques, places on the body, colours. Canonical to spoken."""

from __future__ import annotations


def _table(text: str) -> dict[str, tuple[str, ...]]:
    """`canonical: spoken, spoken` by line; the canonical word itself is spoken, too."""
    rows = (line.partition(":") for line in text.strip().splitlines())
    return {
        name.strip(): tuple(word for word in (name.strip(), *(one.strip() for one in rest.split(","))) if word)
        for name, _, rest in rows
    }


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


STYLES = _table("""
    traditional: american traditional, old school, tradicional, vieja escuela
    neo-traditional: neo traditional, neotraditional, neotradicional, neo tradicional
    japanese: irezumi, japones, japonés, japonesa
    realism: realistic, photorealistic, realismo, realista, hiperrealista, hyperrealistic
    minimalist: minimal, minimalism, minimalista, fine and simple
    geometric: geometry, geometrico, geométrico, geometrica, geométrica
    tribal: tribales
    watercolor: watercolour, acuarela
    trash polka: trash-polka
    biomechanical: biomecanico, biomecánico, biomecanica, biomecánica
    surrealism: surreal, surrealist, surrealismo, surrealista
    sketch: sketchy, boceto, abocetado
    illustrative: illustration, ilustrativo, ilustrativa, ilustracion, ilustración
    ornamental: mandala style, ornamento
    lettering: script, calligraphy, letras, caligrafia, caligrafía
    chicano: chicana
    new school: nueva escuela
    cartoon: cartoonish, caricatura, dibujo animado
    anime: manga
    gothic: gotico, gótico, gotica, gótica
    abstract: abstracto, abstracta
    celtic: celta, celtas
    polynesian: maori, maorí, polinesio, polinesia
""")
TECHNIQUES = _table("""
    dotwork: dot work, stippling, puntillismo, pointillism
    linework: line work, linea, línea, lineas, líneas, trazo
    fine line: fineline, linea fina, línea fina, trazo fino
    single needle: una sola aguja
    shading: shaded, whip shading, sombreado, sombras
    blackwork: black work, trabajo en negro
    handpoke: hand poke, hand poked, stick and poke, handpoked, a mano
    etching: engraving, engraved, woodcut, grabado
    cross-hatching: crosshatching, tramado
    negative space: espacio negativo
    white ink: tinta blanca
""")
ZONES = _table("""
    forearm: antebrazo, lower arm
    upper arm: bicep, biceps, bíceps, parte superior del brazo
    arm: brazo
    sleeve: full sleeve, half sleeve, manga entera, media manga
    shoulder: hombro
    shoulder blade: omoplato, omóplato
    wrist: muneca, muñeca
    hand: mano
    finger: dedo, dedos, fingers
    chest: pecho
    ribs: rib cage, ribcage, costillas, costado
    stomach: belly, abdomen, vientre
    back: espalda
    lower back: espalda baja
    neck: cuello, nape, nuca
    face: cara
    behind the ear: detras de la oreja, detrás de la oreja
    hip: cadera
    thigh: muslo
    knee: rodilla
    calf: pantorrilla, gemelo
    shin: espinilla
    leg: pierna
    ankle: tobillo
    foot: pie, feet, pies
    elbow: codo
    spine: columna, columna vertebral
    collarbone: clavicle, clavicula, clavícula
""")
PALETTES = _table("""
    black and grey: black and gray, black & grey, grayscale, blanco y negro, negro y gris, black and white
    full color: full colour, colorful, colourful, in color, in colour, a todo color, a color, en color, colorido
    pastel: pastels, pastel colors, colores pastel
    neon: fluorescent, neón, fluorescente
    muted: earthy, earth tones, tonos tierra, apagados
    monochrome: single color, monocromo, monocromatico
""")
COLOURS = _table("""
    black: negro, negra
    grey: gray, gris
    white: blanco, blanca
    red: rojo, roja, crimson
    orange: naranja
    yellow: amarillo, amarilla
    green: verde
    blue: azul
    turquoise: teal, turquesa
    purple: violet, morado, morada, violeta
    pink: rosa, rosado
    brown: marron, marrón
    gold: golden, dorado, dorada, oro
    silver: plateado, plateada, plata
""")
SIDES = _table("""
    left: izquierdo, izquierda
    right: derecho, derecha
    inner: inside of my, interior
    outer: exterior
    upper: superior
    lower: inferior
""")
LEAD_IN = _set("""
    i i'd i'm i'll id would like love want wanted wants to get have having a an the some my me of with for in on at
    and or but so um uh er hm well please thanks thank you hello hi hey tattoo tattoos design designs piece ink
    inked maybe something thinking think about make made it its it's is be can could you do done draw show shows
    showing that this as looking look idea want need one just really should are
    kind sort style styled styles technique place
    placed area body part color colors colour colours palette instead rather change actually no yes yeah yep ok okay
    sure preview see how looks would on there let's lets go also too add then now
    yo quiero quisiera queria quería me gustaria gustaría hacer hacerme hazme un una unos unas el la los las de del
    con en para por al y o pero pues eh hola buenas gracias favor tatuaje tatuajes diseno diseño dibujo tatuar
    tatuarme que muestre muestra sea es algo pensando estoy tal vez quizas quizás mi mis tinta estilo tecnica
    técnica zona cuerpo color colores paleta mejor cambia cambialo cámbialo en vez si sí no vale ponlo hazlo ver
    tone tones tono tonos verlo como cómo quedaria quedaría se veria vería tambien también ahora
""")
PREVIEW = (
    "preview", "see it on", "see how it looks", "see how it would look", "how it would look on", "how would it look",
    "look on my", "try it on", "show it on", "show me on", "on my own body", "vista previa", "verlo en",
    "ver como queda", "ver cómo queda", "como quedaria", "cómo quedaría", "como se veria", "cómo se vería"
)  # fmt: skip
