"""Balance: quiet standing on a force plate, described by the centre of pressure and the forces."""

from udfs.balance.extract import BalanceResult, extract_balance, extract_balance_batch
from udfs.balance.plate import BalanceTrial, plate_centre_of_pressure

__all__ = ["BalanceResult", "BalanceTrial", "extract_balance", "extract_balance_batch", "plate_centre_of_pressure"]
