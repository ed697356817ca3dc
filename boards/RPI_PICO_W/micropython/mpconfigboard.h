// RPI_PICO_W with the updater frozen in. The filesystem keeps the size of the stock build, or stock MicroPython would format it.
// MIT licence.
#include "boards/RPI_PICO_W/mpconfigboard.h"
