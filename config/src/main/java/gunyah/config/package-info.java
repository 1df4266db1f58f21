/**
 * Settings: immutable records with checked values ({@link gunyah.config.MachineConfig}, {@link gunyah.config.VmConfig}),
 * read from HOCON with units in the values, and {@link gunyah.config.BadInput} for whatever a user gave that cannot
 * work. No Akka, no I/O in static initialisers.
 */
package gunyah.config;
