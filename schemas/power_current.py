"""The columns of current and of the power that voltage and current carry."""

from __future__ import annotations

from schemas.features import Feature
from schemas.power_columns import (
    COVERAGE,
    CREST,
    FACTOR,
    IEC_7,
    IEC_30,
    IEEE_1459,
    SHARE,
    SIGNED,
    count,
    harmonics,
    phases,
    value,
)

CURRENT: tuple[Feature, ...] = (
    *value("amp_coverage_pct", "%", "share of the window with current", COVERAGE, "iot-brain", SHARE),
    *phases(
        "amp_rms_{}_ampere",
        "A",
        "RMS current",
        "sqrt(mean i^2) over all whole cycles; of a meter's readings sqrt(mean I^2)",
        f"{IEC_30}, 5.13",
    ),
    *value(
        "amp_half_cycle_max_ampere",
        "A",
        "highest I_rms(1/2), worst phase",
        "max over half cycles of sqrt(mean i^2 over one cycle); of a meter: highest reading",
        f"{IEC_30}, 5.13",
    ),
    *phases(
        "amp_crest_{}",
        "1",
        "crest factor of the current",
        "max |i| / I over the whole cycles",
        "IEC 60050-103 (peak factor)",
        CREST,
    ),
    *phases(
        "amp_thd_{}_pct",
        "%",
        "total harmonic distortion of the current",
        "100 sqrt(sum of G_h^2, h = 2..40) / G_1, subgroups over 10/12 cycles",
        f"{IEC_7}, 3.3.3 (THDS) and 5.5.1",
    ),
    *harmonics("amp_harmonic_{}_pct", "current"),
    *value(
        "amp_unbalance_magnitude_pct",
        "%",
        "largest deviation of a phase current from the mean",
        "100 max |I_k - mean I| / mean I",
        "NEMA MG 1 (per cent voltage unbalance), on currents",
    ),
    *value(
        "amp_inrush_ratio",
        "1",
        "inrush of a load switched on in the window, phase l1 or the first present",
        "RMS of the first whole cycle after switching on / RMS of the last second",
        "NILM practice; switching on = from < 10 % to > 50 % of the last second's RMS",
    ),
    *count(
        "harmonic_window_cycles",
        "cycles of the DFT window",
        "10 at 50 Hz, 12 at 60 Hz, 1 in short records",
        f"{IEC_7}, 4.4.1",
    ),
    *count(
        "harmonic_order_max",
        "highest order in the THD",
        "min(40, those below half the sample rate)",
        f"{IEC_7}, 3.3.3",
    ),
)

POWER: tuple[Feature, ...] = (
    *phases(
        "active_power_{}_watt",
        "W",
        "active power",
        "mean(u i) over whole cycles; without waveforms the mean of the WATT sensor",
        f"{IEEE_1459}, 3.1.2",
        SIGNED,
    ),
    *value(
        "active_power_total_watt", "W", "active power of all phases", "sum of the phases", f"{IEEE_1459}, 3.2", SIGNED
    ),
    *value(
        "apparent_power_total_va",
        "VA",
        "arithmetic apparent power",
        "sum of U I over phases; of readings: sum of mean(U I)",
        f"{IEEE_1459}, 3.2.2 (arithmetic)",
    ),
    *value(
        "reactive_power_fundamental_var",
        "var",
        "fundamental reactive power Q1 of all phases, + inductive",
        "sum of U1 I1 sin(phi1)",
        f"{IEEE_1459}, 3.1.2",
        SIGNED,
    ),
    *value("nonactive_power_total_va", "var", "nonactive power N", "sqrt(S^2 - P^2)", f"{IEEE_1459}, 3.1.2"),
    *value("power_factor", "1", "power factor, negative when power flows back", "P / S", f"{IEEE_1459}, 3.1.2", FACTOR),
    *value(
        "displacement_power_factor",
        "1",
        "power factor of the fundamental",
        "P1 / sqrt(P1^2 + Q1^2)",
        f"{IEEE_1459}, 3.1.2",
        FACTOR,
    ),
    *value(
        "vi_trajectory_area",
        "1",
        "area inside the voltage-current loop of l1 or the first phase present",
        "|mean over cycles of sum(u_n i_n+1 - u_n+1 i_n) / 2| / (U_peak I_peak), mean peaks per cycle",
        "Lam, Fung & Lee 2007, IEEE Trans. Consum. Electron. 53(2); PLAID",
        (0.0, 4.0),
    ),
)
