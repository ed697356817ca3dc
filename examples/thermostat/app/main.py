# A thermostat: reads the temperature, switches the heater, and takes updates while it runs.
# MIT licence.
"""The app of the README. It checks itself once, confirms, and from then on only does its work; updates arrive in the
background and start a trial of their own."""

import asyncio
import json

import sensor
import suit


class Thermostat:
    def __init__(self, settings):
        self.setpoint = settings["setpoint_c"]
        self.hysteresis = settings["hysteresis_c"]
        self.interval_ms = settings["interval_ms"]
        self.sensor = sensor.open_sensor()
        self.heating = False

    def step(self):
        """Read once and switch; returns the temperature in degrees Celsius."""
        celsius = self.sensor.celsius()
        if celsius < self.setpoint - self.hysteresis:
            self.heating = True
        elif celsius > self.setpoint + self.hysteresis:
            self.heating = False
        self.sensor.heating = self.heating
        return celsius

    async def run(self):
        shown = None
        while True:
            celsius = self.step()
            if self.heating is not shown:
                shown = self.heating
                print("%.1f C, heater %s" % (celsius, "on" if shown else "off"))
            await asyncio.sleep_ms(self.interval_ms)


def self_test(thermostat):
    """What must hold before this version may stay: settings make sense, the sensor answers."""
    assert 5 <= thermostat.setpoint <= 35, "setpoint"
    assert -40 < thermostat.step() < 125, "sensor"


async def main():
    with open(suit.path("settings.json")) as file:
        thermostat = Thermostat(json.load(file))
    self_test(thermostat)
    suit.confirm()
    await asyncio.gather(thermostat.run(), suit.listen())


asyncio.run(main())
