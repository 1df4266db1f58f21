/**
 * The command line: a thin user of {@link gunyah.runtime.GunyahSystem}. {@link gunyah.cli.Main} parses, the commands
 * turn options into settings, run VMs, connect consoles and choose the exit status.
 */
package gunyah.cli;
