"""How arrivals of the bench models vary by hour of the day, weekday (from Monday) and month (from January)."""

from __future__ import annotations

A_DAY_IN_EMERGENCY = (
    .48, .38, .32, .28, .27, .30, .42, .66, 1.02, 1.38, 1.54, 1.56,
    1.50, 1.44, 1.42, 1.42, 1.44, 1.44, 1.40, 1.36, 1.24, 1.06, .92, .75,
)  # fmt: skip
DAYTIME = (0, 0, 0, 0, 0, 0, 0, 0, 1.8, 2.6, 2.8, 2.6, 2.0, 2.0, 2.4, 2.4, 2.2, 1.8, 1.0, .4, 0, 0, 0, 0)  # fmt: skip
WEEK_IN_EMERGENCY = (1.08, 1.01, .99, .98, .98, .97, .99)  # fmt: skip
ELECTIVE_WEEK = (1.35, 1.35, 1.35, 1.30, 1.15, .30, .20)  # fmt: skip
GP_WEEK = (1.30, 1.20, 1.15, 1.15, 1.15, .65, .40)  # fmt: skip
MONTHS_IN_EMERGENCY = (1.01, 1.01, 1.02, .99, 1.01, 1.01, 1.01, .96, .98, 1.00, 1.00, 1.00)  # fmt: skip
ELECTIVE_MONTHS = (1.01, 1.02, 1.03, .99, .99, 1.01, 1.02, .98, 1.01, 1.03, 1.03, .88)  # fmt: skip
GP_MONTHS = (1.05, 1.04, 1.02, .98, .97, .97, .96, .92, 1.00, 1.05, 1.05, .99)  # fmt: skip
