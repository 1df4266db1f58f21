package gunyah.cli;

/** Exit statuses that scripts rely on. */
final class ExitStatus {
    /** The guest powered off (or the user left it). */
    static final int OK = 0;
    /** A fault of this program. */
    static final int INTERNAL = 1;
    /** Bad usage or bad input. */
    static final int BAD_INPUT = 2;
    /** A guest crashed or faulted. */
    static final int CRASHED = 3;
    /** The time given with {@code --timeout} is over. */
    static final int TIMEOUT = 124;

    private ExitStatus() {
    }
}
