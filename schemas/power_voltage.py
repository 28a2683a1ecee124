"""The columns of voltage: RMS, shape, unbalance, frequency, flicker, and events."""

from __future__ import annotations

from schemas.features import Feature
from schemas.power_columns import (
    COVERAGE,
    CREST,
    DEVIATION,
    IEC_7,
    IEC_30,
    MAINS_HZ,
    SHARE,
    count,
    harmonics,
    phases,
    value,
)

VOLTAGE: tuple[Feature, ...] = (
    *value("volt_coverage_pct", "%", "share of the window with voltage", COVERAGE, "iot-brain", SHARE),
    *phases(
        "volt_rms_{}_volt",
        "V",
        "RMS voltage",
        "sqrt(mean u^2) over all whole cycles; of a meter's readings sqrt(mean U^2)",
        f"{IEC_30}, 4.4 and 5.2",
    ),
    *phases(
        "volt_deviation_{}_pct",
        "%",
        "deviation of the RMS voltage from the declared one",
        "100 (U - U_din) / U_din",
        f"{IEC_30}, 5.12; EN 50160:2010, 4.2.2",
        DEVIATION,
    ),
    *value(
        "volt_half_cycle_min_volt",
        "V",
        "lowest U_rms(1/2), worst phase",
        "min over half cycles of sqrt(mean u^2 over one cycle); of a meter: lowest reading",
        f"{IEC_30}, 5.4.1",
    ),
    *value(
        "volt_half_cycle_max_volt",
        "V",
        "highest U_rms(1/2), worst phase",
        "max over half cycles of sqrt(mean u^2 over one cycle); of a meter: highest reading",
        f"{IEC_30}, 5.4.1",
    ),
    *value(
        "volt_within_10_share_pct",
        "%",
        "share of 10/12-cycle values (or readings) within +-10 %, worst phase",
        "100 x count(|U - U_din| <= 0.10 U_din) / count",
        "EN 50160:2010, 4.2.2",
        SHARE,
    ),
    *value(
        "volt_within_15_10_share_pct",
        "%",
        "share of 10/12-cycle values (or readings) within +10/-15 %, worst phase",
        "100 x count(0.85 U_din <= U <= 1.10 U_din) / count",
        "EN 50160:2010, 4.2.2",
        SHARE,
    ),
    *phases(
        "volt_crest_{}",
        "1",
        "crest factor of the voltage",
        "max |u| / U over the whole cycles",
        "IEC 60050-103 (peak factor)",
        CREST,
    ),
    *phases(
        "volt_thd_{}_pct",
        "%",
        "total harmonic distortion of the voltage",
        "100 sqrt(sum of G_h^2, h = 2..40) / G_1, subgroups over 10/12 cycles",
        f"{IEC_7}, 3.3.3 (THDS) and 5.5.1",
    ),
    *harmonics("volt_harmonic_{}_pct", "voltage"),
    *value(
        "volt_interharmonic_pct",
        "%",
        "all interharmonic centred subgroups of the voltage, worst phase",
        "100 sqrt(sum of C_h^2, h = 0..39) / G_1, C_h from the bins that no harmonic subgroup holds",
        f"{IEC_7}, Annex A",
    ),
    *value(
        "volt_unbalance_negative_pct",
        "%",
        "negative-sequence unbalance u2",
        "100 |U1 + a^2 U2 + a U3| / |U1 + a U2 + a^2 U3|, RMS over blocks",
        f"{IEC_30}, 5.7; Fortescue 1918",
    ),
    *value(
        "volt_unbalance_zero_pct",
        "%",
        "zero-sequence unbalance u0",
        "100 |U1 + U2 + U3| / |U1 + a U2 + a^2 U3|, RMS over blocks",
        f"{IEC_30}, 5.7; Fortescue 1918",
    ),
    *value(
        "volt_unbalance_magnitude_pct",
        "%",
        "largest deviation of a phase from the mean (not u2)",
        "100 max |U_k - mean U| / mean U",
        "NEMA MG 1 (per cent voltage unbalance), on phase-to-neutral voltages",
    ),
    *value(
        "frequency_hz",
        "Hz",
        "mains frequency over the window",
        "whole cycles / their duration, zero crossings of the fundamental",
        f"{IEC_30}, 5.1",
        MAINS_HZ,
    ),
    *value(
        "frequency_min_hz",
        "Hz",
        "lowest frequency over 10 s",
        "whole cycles in 10 s / their duration",
        f"{IEC_30}, 5.1",
        MAINS_HZ,
    ),
    *value(
        "frequency_max_hz",
        "Hz",
        "highest frequency over 10 s",
        "whole cycles in 10 s / their duration",
        f"{IEC_30}, 5.1",
        MAINS_HZ,
    ),
    *value(
        "flicker_pst",
        "1",
        "short-term flicker severity, worst phase",
        "sqrt(0.0314 P0.1 + 0.0525 P1s + 0.0657 P3s + 0.28 P10s + 0.08 P50s) over 10 min",
        "IEC 61000-4-15:2010, 5.7.2",
    ),
)

_EVENT = f"{IEC_30}, 5.4; EN 50160:2010"

EVENTS: tuple[Feature, ...] = (
    *count(
        "dip_count",
        "voltage dips",
        "U_rms(1/2) of any phase < 90 % until all >= 92 %; events that hold an interruption are not dips",
        _EVENT,
    ),
    *value("dip_residual_volt", "V", "residual voltage of the deepest dip", "lowest U_rms(1/2) in the dips", _EVENT),
    *value("dip_depth_pct", "%", "depth of the deepest dip", "100 (U_din - residual) / U_din", _EVENT, SHARE),
    *value(
        "dip_duration_max_s",
        "s",
        "length of the longest dip",
        "from the start of the first cycle below to that of the first one back",
        _EVENT,
    ),
    *count("swell_count", "voltage swells", "U_rms(1/2) of any phase > 110 % until all <= 108 %", _EVENT),
    *value("swell_max_volt", "V", "highest voltage of the swells", "highest U_rms(1/2) in the swells", _EVENT),
    *value("swell_duration_max_s", "s", "length of the longest swell", "as of dips", _EVENT),
    *count(
        "interruption_count",
        "interruptions of the supply",
        "U_rms(1/2) of all phases < 5 % (IEEE 1159: 10 %) until one >= 7 %",
        f"{IEC_30}, 5.5; EN 50160:2010; IEEE 1159-2019",
    ),
    *value("interruption_duration_s", "s", "all interruptions together", "sum of their lengths", f"{IEC_30}, 5.5"),
    *count(
        "voltage_event_cut_count",
        "events that the window or a gap cuts: their length is a lower bound",
        "events open at an edge",
        "iot-brain",
    ),
)
