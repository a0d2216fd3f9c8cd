"""What the processes of one service share: numbers in memory, made before they are forked. One process is a service as well."""

from token_service.client_limits import ClientLimits
from token_service.daily_limits import DailyLimits
from token_service.metrics import families
from token_service.metrics.gauges import Gauges, Merge
from token_service.metrics.meters import Meters
from token_service.revocation_limits import RevocationRates
from token_service.settings import TokenServiceSettings

GAUGES = {
    families.HASHING_QUEUE: Merge.SUM,
    families.INDEX_OBJECTS: Merge.HIGHEST,
    families.STALENESS: Merge.HIGHEST,
    families.MAX_STALENESS: Merge.HIGHEST,
    families.KEY_AGE: Merge.HIGHEST,
}


class Shared:
    """Metrics, limits, and who of the others is ready."""

    def __init__(self, settings: TokenServiceSettings) -> None:
        self.meters = Meters(settings.processes)
        self.gauges = Gauges(settings.processes, GAUGES)
        self.limits = ClientLimits(settings.client_requests_per_second, settings.client_burst)
        self.days = DailyLimits()
        self.revocations = RevocationRates()

    def of_process(self, number: int) -> None:
        """Be this process from now on."""
        self.meters.cells.of_process(number)
        self.gauges.of_process(number)
