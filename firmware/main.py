# Start the launcher: it verifies and runs the app, or waits for an update in recovery.
import suit_start

suit_start.run()
