# Modules come from the firmware, the updater and /lib; the folder /suit at the root holds data, no code.
import suit_start

suit_start.path()
