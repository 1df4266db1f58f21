package gunyah.rm;

import gunyah.hyp.HypercallPort;
import java.util.function.IntConsumer;

/** The Resource Manager's way to the hypervisor, on which one call fails when a test says so. Thread safe. */
final class FaultyPort implements HypercallPort {
    /** A defect of ours, on purpose. */
    static final class Injected extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Injected(String where) {
            super("injected " + where, null, false, false);
        }
    }

    /** The call of this number, from 1, fails: before it is made, or when it is done. */
    private record Shot(int call, boolean before) {
        private String at(int number) {
            return "%s hypercall 0x%02x".formatted(before ? "before" : "after", number);
        }
    }

    private final HypercallPort port;
    private int calls;
    private int counted;
    private String hit;
    private Shot shot = new Shot(0, true);

    FaultyPort(HypercallPort port) {
        this.port = port;
    }

    /** From now on counts calls; the one of this number fails, none for 0. */
    synchronized void arm(int call, boolean before) {
        hit = null;
        shot = new Shot(call, before);
        calls = 0;
    }

    /** No call fails any more. {@return where one did or is about to, or null} */
    synchronized String disarm() {
        shot = new Shot(0, true);
        counted = calls;
        return hit;
    }

    /** {@return calls between the latest {@link #arm} and {@link #disarm}} */
    synchronized int calls() {
        return counted;
    }

    @Override
    public void call(int number, long[] x) {
        Shot fails = count(number);
        if (fails == null || !fails.before) {
            port.call(number, x);
        }
        if (fails != null) {
            throw new Injected(fails.at(number));
        }
    }

    /** {@return how this call fails, or null}; known to {@link #disarm} from here on, whoever is first. */
    private synchronized Shot count(int number) {
        if (++calls != shot.call) {
            return null;
        }
        hit = shot.at(number);
        return shot;
    }

    @Override
    public void smccc(long[] x) {
        port.smccc(x);
    }

    @Override
    public void read(long ipa, byte[] target, int offset, int length) {
        port.read(ipa, target, offset, length);
    }

    @Override
    public void write(long ipa, byte[] source, int offset, int length) {
        port.write(ipa, source, offset, length);
    }

    @Override
    public void onInterrupt(IntConsumer handler) {
        port.onInterrupt(handler);
    }
}
