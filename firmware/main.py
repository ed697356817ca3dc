# Start the launcher: it verifies and runs the app, or waits for an update in recovery.
from suit import launcher

launcher.boot()
