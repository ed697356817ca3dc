# Modules come from the firmware and from /lib; the folder /suit at the root holds data, no code.
import sys

sys.path[:] = [".frozen", "/lib", ""]
