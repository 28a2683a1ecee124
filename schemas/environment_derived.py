"""Environment features made from several sensors or over hours: moist air, CO2, PM2.5; as groups of features."""

from __future__ import annotations

from schemas.environment_sensors import count, exposure_group, hour_groups, positive, share
from schemas.features import Feature

_WMO = "Sonntag 1990; WMO-No. 8, Vol. I, Annex 4.B"
_PAIRS = "per pair of temperature and nearest humidity reading, then averaged; "
JOINED_GROUPS: dict[str, tuple[Feature, ...]] = {
    "humidity": (
        Feature(
            name="dew_point_mean_degc",
            unit="degC",
            doc="mean dew point, over water",
            formula=_PAIRS + "243.12 g / (17.62 - g), g = ln(RH/100) + 17.62 T / (243.12 + T)",
            source=_WMO,
            highest=60.0,
        ),
        positive(
            "dew_point_depression_min_degc",
            "K",
            "smallest distance of the air from condensation",
            formula="min over pairs of T - Td",
            source=_WMO,
        ),
        Feature(
            name="vapour_pressure_mean_hpa",
            unit="hPa",
            doc="mean vapour pressure",
            formula=_PAIRS + "e = RH/100 * 6.112 exp(17.62 T / (243.12 + T))",
            source=_WMO,
            lowest=0.0,
            highest=200.0,
        ),
        Feature(
            name="absolute_humidity_mean_g_per_m3",
            unit="g/m3",
            doc="mean mass of vapour in a volume of air",
            formula=_PAIRS + "216.679 e / (T + 273.15), e in hPa",
            source="ideal gas law; WMO-No. 8, Vol. I, chapter 4",
            lowest=0.0,
            highest=131.0,
        ),
        positive(
            "humidity_ratio_mean_kg_per_kg",
            "kg/kg",
            "mean mass of vapour per mass of dry air",
            formula=_PAIRS + "0.621945 e / (p - e), e from the saturation pressure of Hyland & Wexler",
            source="ASHRAE Fundamentals 2017, chapter 1, eq. 6 and 20",
        ),
        Feature(
            name="vpd_mean_kpa",
            unit="kPa",
            doc="mean vapour pressure deficit of the air",
            formula=_PAIRS + "(es - e) / 10, es and e in hPa",
            source="FAO Irrigation and Drainage Paper 56, 1998",
            lowest=0.0,
            highest=20.0,
        ),
        Feature(
            name="humidex_mean_degc",
            unit="degC",
            doc="mean humidex",
            formula=_PAIRS + "T + 5/9 (e - 10), e in hPa",
            source="Masterton & Richardson 1979",
        ),
    ),
    "heat_index": tuple(
        Feature(
            name=f"heat_index_{statistic}_degc",
            unit="degC",
            doc=f"{statistic} heat index; up to 50 degC of air temperature",
            formula=_PAIRS.replace("averaged", statistic)
            + "simple index below 80 F, else Rothfusz with the adjustments"
            " for RH < 13 % and RH > 85 %",
            source="NWS Weather Prediction Center, heatindex_equation.shtml; Rothfusz 1990 (SR 90-23)",
        )
        for statistic in ("mean", "max")
    ),
    "wet_bulb": (
        Feature(
            name="wet_bulb_mean_degc",
            unit="degC",
            doc="mean wet-bulb temperature at 1013 hPa; -20 to 50 degC, 5 to 99 %",
            formula=_PAIRS + "Stull's arctangent fit",
            source="Stull 2011, J. Appl. Meteor. Climatol. 50, 2267, eq. 1",
            lowest=-30.0,
            highest=51.0,
        ),
    ),
}

CO2_GROUPS: dict[str, tuple[Feature, ...]] = {
    "co2_level": (
        Feature(
            name="rebreathed_fraction_mean_pct",
            unit="%",
            doc="mean share of the air that somebody has breathed out before",
            formula="mean of 100 * max(C - Cout, 0) / 38000, ppm",
            source="Rudnick & Milton 2003, Indoor Air 13, 237",
            lowest=0.0,
            highest=105.3,
        ),
        *(
            share(
                f"co2_category_{number}_pct",
                f"readings in CO2 category {numeral}",
                f"100 * readings with C - Cout {limits} ppm / valid readings",
                "EN 16798-1:2019, annex B",
            )
            for number, numeral, limits in (
                (1, "I", "<= 550"),
                (2, "II", "in 550..800"),
                (3, "III", "in 800..1350"),
                (4, "IV", "> 1350"),
            )
        ),
    ),
    "co2_exposure": exposure_group(
        "co2", "co2_excess_dose_ppm_h", "ppm h", what="CO2 above outdoor air", threshold="the CO2 threshold"
    ),
    **hour_groups("co2"),
    "air_changes": (
        positive(
            "air_changes_per_h",
            "1/h",
            "air changes of the emptied room",
            formula="minus the slope of ln(C - Cbg) over the first 2 h after the room empties; Cbg = 1st percentile of"
            " the night - 5 ppm; accepted at R2 > 0.98, drop > 200 ppm, background < 700 ppm and as fitted",
            source="ASTM E741-11; ASTM D6245-18; Batterman 2017, Int. J. Environ. Res. Public Health 14, 145",
        ),
        Feature(
            name="air_changes_r2",
            unit="1",
            doc="R2 of that line",
            formula="1 - SSE / SST of ln(C - Cbg)",
            source="definition",
            lowest=0.98,
            highest=1.0,
        ),
        positive(
            "air_changes_drop_ppm",
            "ppm",
            "fall of the CO2 over the 2 h",
            formula="(C - Cbg) of the fitted line at 0 h minus at 2 h",
            source="definition",
        ),
        positive(
            "air_changes_start_s",
            "s",
            "when the decay begins, from the window's start",
            formula="accepted start (10-min grid) with the steepest fall in its first 30 min",
            source="definition",
        ),
        Feature(
            name="air_changes_background_ppm",
            unit="ppm",
            doc="background that the line uses",
            formula="1st percentile of the readings of the night - 5 ppm",
            source="definition",
            highest=700.0,
        ),
        Feature(
            name="air_changes_fitted_background_ppm",
            unit="ppm",
            doc="background as a free parameter",
            formula="Cbg of C = Cbg + A exp(-k t), least squares over the whole night",
            source="Batterman 2017",
            highest=700.0,
        ),
        positive(
            "air_changes_fitted_per_h",
            "1/h",
            "air changes with the background as a free parameter",
            formula="k of C = Cbg + A exp(-k t), least squares over the whole night",
            source="Batterman 2017",
        ),
    ),
    "ventilation": (
        positive(
            "ventilation_l_per_s",
            "L/s",
            "outdoor air into the room",
            formula="air changes per hour * room volume in m3 / 3.6",
            source="ASTM E741-11",
        ),
    ),
    "ventilation_per_person": (
        positive(
            "ventilation_per_person_l_per_s",
            "L/s",
            "outdoor air for each person at a steady CO2 level",
            formula="1e6 G / (Css - Cout), G in L/s, C in ppm",
            source="ASTM D6245-18; Persily & de Jonge 2017",
        ),
        positive(
            "steady_co2_ppm",
            "ppm",
            "highest steady CO2 level",
            formula="mean of three hourly means in a row that lie within 5 % of their excess over outdoor air;"
            " excess >= 200 ppm",
            source="ASTM D6245-18 (equilibrium analysis)",
        ),
    ),
}

PM25_GROUPS: dict[str, tuple[Feature, ...]] = {
    "pm25_correction": (
        positive(
            "pm25_corrected_mean_ug_per_m3",
            "ug/m3",
            "mean of the corrected PM2.5; the row names the method",
            formula="max(0.524 PM(cf_1) - 0.0862 RH + 5.75, 0) per pair with the nearest humidity, then averaged",
            source="Barkjohn 2021, Atmos. Meas. Tech. 14, 4617",
        ),
    ),
    "pm25_humidity": (
        share(
            "pm25_high_humidity_pct",
            "PM2.5 readings in air so humid that optical sensors read high",
            "100 * readings with nearest RH > 85 % / readings with a humidity beside them",
            "Jayaratne 2018, Atmos. Meas. Tech. 11, 4883",
        ),
    ),
    "pm25_exposure": exposure_group(
        "pm25", "pm25_dose_ug_h_per_m3", "ug h/m3", what="PM2.5", threshold="the PM2.5 threshold"
    ),
    **hour_groups("pm25"),
    "nowcast": (
        positive(
            "nowcast_ug_per_m3",
            "ug/m3",
            "NowCast of the window's last hour",
            formula="sum(w^k c_k) / sum(w^k) over 12 h, k = hours ago, w = max(0.5, 1 - (max - min) / max);"
            " needs 2 of the latest 3 h",
            source="US EPA P100X0J6 (NowCast, PM form)",
        ),
        count("nowcast_aqi", "AQI of the NowCast", "AQI table of 2024 at the NowCast", source="89 FR 16202; AirNow"),
    ),
    "pm25_24h": (
        positive(
            "pm25_24h_mean_ug_per_m3",
            "ug/m3",
            "24-hour mean",
            formula="mean of the hourly means of the window's last 24 h, at least 18 of them",
            source="40 CFR 50 Appendix N",
        ),
        count(
            "pm25_24h_aqi",
            "AQI of the 24-hour mean",
            "cut to 0.1, interpolated in the table of 2024, rounded; same slope past 500",
            source="89 FR 16202; 40 CFR 58 Appendix G",
        ),
        positive(
            "pm25_who_24h_ratio",
            "1",
            "24-hour mean over the WHO guideline",
            formula="24-hour mean / 15 ug/m3",
            source="WHO global air quality guidelines 2021",
        ),
        count(
            "pm25_who_24h_exceeded",
            "1 when the WHO guideline is exceeded",
            "1 if the 24-hour mean > 15 ug/m3",
            source="WHO global air quality guidelines 2021",
            highest=1,
        ),
    ),
}
