/**
 * Real guests driven as a user would, through {@link gunyah.runtime.GunyahSystem}. Tag {@code boot}: needs the files of
 * {@code gunyah fetch debian --kernel all}.
 */
package gunyah.scenario;
