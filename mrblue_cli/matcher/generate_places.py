"""Cities and towns in which generated communities live: coordinates, time zone, and the size of their scene. PURE."""

from __future__ import annotations

from typing import NamedTuple


class City(NamedTuple):
    """A place where people dance."""

    name: str
    country: str
    region: str
    lat: float
    lon: float
    tz: str
    dancers: int
    """How large its scene is beside the others."""
    spread_km: float
    """How far from the centre most people live."""


_AR, _DE, _US = "America/Argentina/Buenos_Aires", "Europe/Berlin", "America/New_York"
CITIES: tuple[City, ...] = (
    City("Buenos Aires", "AR", "Buenos Aires", -34.6037, -58.3816, _AR, 1000, 9.0),
    City("Berlin", "DE", "Berlin", 52.5200, 13.4050, _DE, 520, 8.0),
    City("Istanbul", "TR", "Istanbul", 41.0082, 28.9784, "Europe/Istanbul", 480, 11.0),
    City("Paris", "FR", "Île-de-France", 48.8566, 2.3522, "Europe/Paris", 430, 7.0),
    City("Montevideo", "UY", "Montevideo", -34.9011, -56.1645, "America/Montevideo", 330, 6.0),
    City("London", "GB", "England", 51.5074, -0.1278, "Europe/London", 320, 11.0),
    City("New York", "US", "New York", 40.7128, -74.0060, _US, 310, 10.0),
    City("Rome", "IT", "Lazio", 41.9028, 12.4964, "Europe/Rome", 300, 8.0),
    City("Moscow", "RU", "Moscow", 55.7558, 37.6173, "Europe/Moscow", 260, 11.0),
    City("Milan", "IT", "Lombardy", 45.4642, 9.1900, "Europe/Rome", 240, 6.0),
    City("San Francisco", "US", "California", 37.7749, -122.4194, "America/Los_Angeles", 220, 9.0),
    City("Athens", "GR", "Attica", 37.9838, 23.7275, "Europe/Athens", 200, 6.0),
    City("Hamburg", "DE", "Hamburg", 53.5511, 9.9937, _DE, 190, 7.0),
    City("Munich", "DE", "Bavaria", 48.1351, 11.5820, _DE, 185, 6.0),
    City("Seoul", "KR", "Seoul", 37.5665, 126.9780, "Asia/Seoul", 185, 9.0),
    City("Warsaw", "PL", "Masovia", 52.2297, 21.0122, "Europe/Warsaw", 170, 7.0),
    City("Saint Petersburg", "RU", "Saint Petersburg", 59.9311, 30.3609, "Europe/Moscow", 165, 8.0),
    City("Barcelona", "ES", "Catalonia", 41.3874, 2.1686, "Europe/Madrid", 160, 5.0),
    City("Madrid", "ES", "Madrid", 40.4168, -3.7038, "Europe/Madrid", 155, 7.0),
    City("Vienna", "AT", "Vienna", 48.2082, 16.3738, "Europe/Vienna", 150, 6.0),
    City("Rosario", "AR", "Santa Fe", -32.9442, -60.6505, _AR, 150, 5.0),
    City("Tokyo", "JP", "Tokyo", 35.6762, 139.6503, "Asia/Tokyo", 145, 13.0),
    City("Córdoba", "AR", "Córdoba", -31.4201, -64.1888, _AR, 140, 6.0),
    City("Budapest", "HU", "Budapest", 47.4979, 19.0402, "Europe/Budapest", 140, 6.0),
    City("Amsterdam", "NL", "North Holland", 52.3676, 4.9041, "Europe/Amsterdam", 135, 5.0),
    City("Turin", "IT", "Piedmont", 45.0703, 7.6869, "Europe/Rome", 130, 5.0),
    City("Los Angeles", "US", "California", 34.0522, -118.2437, "America/Los_Angeles", 125, 16.0),
    City("Lisbon", "PT", "Lisbon", 38.7223, -9.1393, "Europe/Lisbon", 120, 6.0),
    City("Zurich", "CH", "Zurich", 47.3769, 8.5417, "Europe/Zurich", 115, 5.0),
    City("Prague", "CZ", "Prague", 50.0755, 14.4378, "Europe/Prague", 110, 6.0),
    City("Brussels", "BE", "Brussels", 50.8503, 4.3517, "Europe/Brussels", 110, 5.0),
    City("Izmir", "TR", "Izmir", 38.4237, 27.1428, "Europe/Istanbul", 105, 6.0),
    City("Ankara", "TR", "Ankara", 39.9334, 32.8597, "Europe/Istanbul", 100, 7.0),
    City("Lyon", "FR", "Auvergne-Rhône-Alpes", 45.7640, 4.8357, "Europe/Paris", 100, 5.0),
    City("Bucharest", "RO", "Bucharest", 44.4268, 26.1025, "Europe/Bucharest", 100, 5.0),
    City("Stockholm", "SE", "Stockholm", 59.3293, 18.0686, "Europe/Stockholm", 95, 7.0),
    City("Copenhagen", "DK", "Capital Region", 55.6761, 12.5683, "Europe/Copenhagen", 95, 5.0),
    City("Chicago", "US", "Illinois", 41.8781, -87.6298, "America/Chicago", 90, 11.0),
    City("Santiago", "CL", "Santiago", -33.4489, -70.6693, "America/Santiago", 90, 8.0),
    City("Naples", "IT", "Campania", 40.8518, 14.2681, "Europe/Rome", 85, 5.0),
    City("Cologne", "DE", "North Rhine-Westphalia", 50.9375, 6.9603, _DE, 85, 6.0),
    City("Montreal", "CA", "Quebec", 45.5019, -73.5674, "America/Toronto", 85, 7.0),
    City("Toronto", "CA", "Ontario", 43.6532, -79.3832, "America/Toronto", 80, 9.0),
    City("Helsinki", "FI", "Uusimaa", 60.1699, 24.9384, "Europe/Helsinki", 80, 6.0),
    City("Krakow", "PL", "Lesser Poland", 50.0647, 19.9450, "Europe/Warsaw", 75, 5.0),
    City("Belgrade", "RS", "Belgrade", 44.7866, 20.4489, "Europe/Belgrade", 75, 5.0),
    City("Melbourne", "AU", "Victoria", -37.8136, 144.9631, "Australia/Melbourne", 75, 10.0),
    City("Sydney", "AU", "New South Wales", -33.8688, 151.2093, "Australia/Sydney", 70, 10.0),
    City("Taipei", "TW", "Taipei", 25.0330, 121.5654, "Asia/Taipei", 70, 6.0),
    City("Shanghai", "CN", "Shanghai", 31.2304, 121.4737, "Asia/Shanghai", 65, 11.0),
    City("São Paulo", "BR", "São Paulo", -23.5505, -46.6333, "America/Sao_Paulo", 65, 11.0),
    City("Medellín", "CO", "Antioquia", 6.2442, -75.5812, "America/Bogota", 65, 5.0),
    City("Bogotá", "CO", "Bogotá", 4.7110, -74.0721, "America/Bogota", 60, 7.0),
    City("Dublin", "IE", "Leinster", 53.3498, -6.2603, "Europe/Dublin", 55, 6.0),
    City("Oslo", "NO", "Oslo", 59.9139, 10.7522, "Europe/Oslo", 55, 5.0),
    City("Sofia", "BG", "Sofia", 42.6977, 23.3219, "Europe/Sofia", 50, 5.0),
    City("Tel Aviv", "IL", "Tel Aviv", 32.0853, 34.7818, "Asia/Jerusalem", 50, 6.0),
    City("Mexico City", "MX", "Mexico City", 19.4326, -99.1332, "America/Mexico_City", 50, 10.0),
    City("Boston", "US", "Massachusetts", 42.3601, -71.0589, _US, 50, 8.0),
    City("Seattle", "US", "Washington", 47.6062, -122.3321, "America/Los_Angeles", 45, 8.0),
    City("Edinburgh", "GB", "Scotland", 55.9533, -3.1883, "Europe/London", 40, 4.0),
    City("Singapore", "SG", "Singapore", 1.3521, 103.8198, "Asia/Singapore", 40, 8.0),
    City("Vilnius", "LT", "Vilnius", 54.6872, 25.2797, "Europe/Vilnius", 35, 4.0),
    City("Ljubljana", "SI", "Ljubljana", 46.0569, 14.5058, "Europe/Ljubljana", 35, 4.0),
    City("Cape Town", "ZA", "Western Cape", -33.9249, 18.4241, "Africa/Johannesburg", 25, 8.0),
    City("La Plata", "AR", "Buenos Aires", -34.9215, -57.9545, _AR, 45, 4.0),
    City("Potsdam", "DE", "Brandenburg", 52.3906, 13.0645, _DE, 18, 3.0),
    City("Freiburg", "DE", "Baden-Württemberg", 47.9990, 7.8421, _DE, 22, 2.5),
    City("Göttingen", "DE", "Lower Saxony", 51.5413, 9.9158, _DE, 12, 2.0),
    City("Tandil", "AR", "Buenos Aires", -37.3217, -59.1332, _AR, 10, 2.0),
    City("Colonia", "UY", "Colonia", -34.4626, -57.8400, "America/Montevideo", 8, 1.5),
    City("Arezzo", "IT", "Tuscany", 43.4633, 11.8797, "Europe/Rome", 10, 2.0),
    City("Grenoble", "FR", "Auvergne-Rhône-Alpes", 45.1885, 5.7245, "Europe/Paris", 16, 3.0),
    City("Versailles", "FR", "Île-de-France", 48.8014, 2.1301, "Europe/Paris", 9, 2.0),
    City("Oxford", "GB", "England", 51.7520, -1.2577, "Europe/London", 14, 2.5),
    City("Nijmegen", "NL", "Gelderland", 51.8126, 5.8372, "Europe/Amsterdam", 15, 2.5),
    City("Ghent", "BE", "Flanders", 51.0543, 3.7174, "Europe/Brussels", 16, 2.5),
    City("Syros", "GR", "South Aegean", 37.4500, 24.9000, "Europe/Athens", 5, 2.0),
)
