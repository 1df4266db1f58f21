package gunyah.hyp.vcpu;

/** A call cannot be made on a proxy's thread; nothing of it is done. Without a stack trace: no error, but a way out. */
final class OwnThreadNeeded extends RuntimeException {
    static final OwnThreadNeeded NEEDED = new OwnThreadNeeded();
    private static final long serialVersionUID = 1;

    private OwnThreadNeeded() {
        super(null, null, false, false);
    }
}
