package gunyah.load;

import java.time.Duration;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** A Linux guest with a shell at its console, on some machine. Used by one thread. */
public interface ShellGuest extends AutoCloseable {
    String PROMPT = "/root # ";

    /** What the guest's {@code time} prints. */
    Pattern REAL = Pattern.compile("real\\s+(\\d+)m ?([0-9.]+)s");

    /** Runs a command line and waits for the prompt. Blocks. */
    void command(String line, Duration patience);

    /** Runs a command line and waits for what it is to print, and the prompt. Blocks. {@return what it printed} */
    MatchResult command(String line, Pattern answer, Duration patience);

    /**
     * Runs a command line. Blocks.
     *
     * @return seconds that the guest's {@code time} measured
     */
    default double time(String line, Duration patience) {
        MatchResult real = command("time " + line, REAL, patience);
        return Integer.parseInt(real.group(1)) * 60 + Double.parseDouble(real.group(2));
    }

    /** {@return what the machine used up to now} */
    Use use();

    /**
     * What a machine used.
     *
     * @param cpuNs        CPU time of all its threads
     * @param guestNs      of it those that run guest code; 0 = unknown
     * @param compilerNs   of it the JVM's own; 0 = unknown
     * @param instructions of the guest; 0 = unknown
     * @param exits        accesses to devices' registers that left the guest
     * @param interrupts   delivered to the guest
     */
    record Use(long cpuNs, long guestNs, long compilerNs, long instructions, long exits, long interrupts) {
        public Use since(Use earlier) {
            return new Use(cpuNs - earlier.cpuNs, guestNs - earlier.guestNs,
                    compilerNs - earlier.compilerNs, instructions - earlier.instructions,
                    exits - earlier.exits, interrupts - earlier.interrupts);
        }
    }

    @Override
    void close();
}
