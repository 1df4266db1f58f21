package gunyah.vmm.driver;

/** A driver call that failed with an error number; the message says which call and why. */
public final class GunyahError extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final Errno errno;

    public GunyahError(Errno errno, String message) {
        super(errno + ": " + message);
        this.errno = errno;
    }

    public Errno errno() {
        return errno;
    }

    /** Throws unless {@code errno} is OK. */
    static void check(Errno errno, String message) {
        if (errno != Errno.OK) {
            throw new GunyahError(errno, message);
        }
    }
}
