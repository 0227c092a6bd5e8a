"""Errors as people say them in Spanish, put into the English words in which programs print them.

Messages of programs are English and so is the knowledge base; but who speaks Spanish says "permiso denegado". Only such
phrases are put over, everything else of a text stays as it is, so that a pasted log is not touched.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from mrblue_cli.core.texts import language

MAX_CHARS = 2_000
"""Longer texts are logs, not speech."""

# Spanish | English. Without accents; `/` parts words that mean the same; # is a number and @ a name that may be there.
# Between the words articles and auxiliaries may stand, see _LOOSE. Longer phrases come before those that begin them.
_PHRASES = """
puerto tres mil | port 3000
puerto cinco mil | port 5000
puerto ocho mil ochenta | port 8080
puerto ocho mil | port 8000
direccion uso/usada/utilizada/ocupada | address already in use
puerto # uso/usado/utilizado/ocupado | port # is already in use
conexion rechazada/rehusada/denegada | connection refused
rechaza/rechazo/rechazaron conexion | connection refused
conexion reiniciada/restablecida/reseteada | connection reset
conexion cerrada inesperadamente | connection closed unexpectedly
tuberia rota | broken pipe
agoto/agotado tiempo espera | timed out
tiempo espera agotado/excedido/superado | timed out
tiempo agotado/excedido | timed out
no puede/pudo resolver nombre/host/servidor/dominio @ | could not resolve host: @
nombre o servicio desconocido | name or service not known
nombre o servicio no conocido | name or service not known
red inalcanzable/inaccesible | network is unreachable
no hay ruta al/hasta host/servidor | no route to host
permiso/permisos denegado/denegados/insuficientes | permission denied
no tengo permiso/permisos | permission denied
acceso denegado | access denied
operacion no permitida | operation not permitted
no existe archivo/fichero o directorio | no such file or directory
archivo/fichero o directorio no existe/encontrado | no such file or directory
no existe archivo/fichero | no such file or directory
archivo/fichero no existe/encontrado | no such file or directory
archivo/fichero ya existe | file already exists
directorio no vacio | directory not empty
sistema archivos/ficheros solo lectura | read-only file system
demasiados archivos/ficheros abiertos | too many open files
no queda/hay espacio disco/dispositivo | no space left on device
sin espacio disco/dispositivo | no space left on device
disco lleno | no space left on device
sin memoria | out of memory
memoria agotada/insuficiente | out of memory
violacion/fallo segmento/segmentacion | segmentation fault
desbordamiento pila | stack overflow
maxima profundidad recursion | maximum recursion depth exceeded
modulo no encontrado/existe | module not found
modulo @ no encontrado/existe | cannot find module @
no encuentra/encontro/encontrar modulo @ | cannot find module @
no hay modulo llamado | no module named
ningun modulo llamado | no module named
paquete no encontrado/existe | package not found
orden/comando no encontrada/encontrado/existe @ | @: command not found
orden/comando @ no encontrada/encontrado/existe | @: command not found
no encuentra/encontro orden/comando @ | @: command not found
error sintaxis | syntax error
sintaxis invalida | invalid syntax
token/simbolo/caracter inesperado | unexpected token
final/fin inesperado archivo/fichero/entrada | unexpected end of input
sangria inesperada | unexpected indent
no definido/definida | is not defined
no es funcion | is not a function
no puede/pudo/pueden leer propiedades/propiedad indefinido/undefined | cannot read properties of undefined
puntero nulo | null pointer exception
indice fuera rango | index out of range
division por/entre cero | division by zero
clave/llave duplicada | duplicate key value violates unique constraint
clave/llave foranea | foreign key constraint
tabla @ no existe | relation @ does not exist
base datos bloqueada | database is locked
contrasena incorrecta | password authentication failed
autenticacion fallida | authentication failed
fallo autenticacion | authentication failed
certificado caducado/vencido/expirado | certificate has expired
certificado autofirmado | self signed certificate
no puede/pudo verificar certificado | certificate verify failed
conflicto fusion/fusionar/mezclar/merge | merge conflict
conflicto dependencias | could not resolve dependency
no es repositorio git | not a git repository
demasiadas peticiones/solicitudes | too many requests
limite peticiones/solicitudes superado/excedido | rate limit exceeded
puerto # | port #
"""
_LINKS = {
    "en": "in", "con": "with", "de": "of", "del": "of the", "al": "to", "y": "and", "instalar": "install",
    "ejecutar": "run", "el": "the", "la": "the", "mi": "my", "me": "", "da": "",
}  # fmt: skip
"""Little words around a phrase: left as they are, they would count as words that no entry knows."""
_LOOSE = "el|la|los|las|un|una|de|del|en|al|ya|se|esta|estan|es|siendo|fue|ha|han|sido|mi|mas|con|por|que|para|the"


def in_english(text: str) -> str:
    """The text with Spanish phrases for errors in English, when Spanish is spoken; else as it is."""
    if language() != "es" or len(text) > MAX_CHARS:
        return text
    whole = unicodedata.normalize("NFC", text)
    plain = "".join(_plain(letter) for letter in whole)
    for pattern, english in _patterns():
        place = 0
        while found := pattern.search(plain, place):
            named = next((whole[slice(*found.span(n))] for n in range(1, len(found.groups()) + 1) if found[n]), "")
            told = " ".join(english.replace("#", named).replace("@", named).split()).removeprefix(": ")
            whole = whole[: found.start()] + told + whole[found.end() :]
            plain = plain[: found.start()] + told + plain[found.end() :]
            place = found.start() + len(told)
    if whole == unicodedata.normalize("NFC", text):
        return text
    return " ".join(told for word in whole.split(" ") if (told := _LINKS.get(word.lower(), word)))


def _plain(letter: str) -> str:
    """The letter without its accent and in lower case; always one, so that places stay the same."""
    bare = unicodedata.normalize("NFD", letter)[0].lower()
    return bare if len(bare) == 1 else letter


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    found = []
    for line in _PHRASES.strip().splitlines():
        spanish, english = (side.strip() for side in line.split("|"))
        found.append((re.compile(_pattern(spanish)), english))
    return tuple(found)


def _pattern(phrase: str) -> str:
    between = rf"\s+(?:(?:{_LOOSE})\s+){{0,3}}"
    pattern = r"(?<!\w)(?:(?:el|la|los|las|un|una|se)\s+)?"
    for number, word in enumerate(phrase.split()):
        if word == "#":
            pattern += rf"(?:{between}(?:numero\s+)?(\d{{2,5}})(?!\w))?"
        elif word == "@":
            pattern += rf"(?:(?:\s*:)?{between}(?!(?:no|{_LOOSE})\b)([\w./@-]*\w))?"
        else:
            pattern += (between if number else "") + f"(?:{word.replace('/', '|')})"
    return rf"{pattern}(?!\w)"
