package gunyah.config;

/**
 * Something the user supplied cannot work: an option, a file, an image, a device tree, a size. The message is for the
 * user: what is wrong, with the offending value, and what to do. The CLI prints it without a stack trace and exits 2.
 */
public final class BadInput extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public BadInput(String message) {
        super(message);
    }

    public BadInput(String message, Throwable cause) {
        super(message, cause);
    }
}
