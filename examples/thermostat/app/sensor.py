# The temperature: of the chip where it has a sensor, else of a simulated room.
# MIT licence.
"""`open_sensor()` gives an object with `celsius()`; `Room` is the simulated one, which the heater warms."""

import time


class Room:
    """A room that drifts to 15 degrees and gains heat while `heating` is set."""

    def __init__(self):
        self.heating = False
        self._celsius = 18.0
        self._at = time.ticks_ms()

    def celsius(self):
        now = time.ticks_ms()
        seconds = min(time.ticks_diff(now, self._at), 10000) / 1000
        self._at = now
        self._celsius += ((27.0 if self.heating else 15.0) - self._celsius) * seconds / 60
        return self._celsius


class Chip:
    """The sensor inside an ESP32-S2/S3/C3 or RP2040 (RP2040 data sheet 4.9.5)."""

    heating = False

    def __init__(self):
        try:
            from esp32 import mcu_temperature

            self.celsius = mcu_temperature
        except ImportError:
            from machine import ADC

            adc = ADC(ADC.CORE_TEMP)
            self.celsius = lambda: 27 - (adc.read_u16() * 3.3 / 65535 - 0.706) / 0.001721


def open_sensor():
    try:
        return Chip()
    except (ImportError, AttributeError, ValueError):
        return Room()
