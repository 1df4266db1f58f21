package gunyah.rm;

import gunyah.hyp.HypercallPort;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
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
    }

    private final HypercallPort port;
    private final AtomicInteger calls = new AtomicInteger();
    private final AtomicReference<String> hit = new AtomicReference<>();
    private volatile int counted;
    private volatile Shot shot = new Shot(0, true);

    FaultyPort(HypercallPort port) {
        this.port = port;
    }

    /** From now on counts calls; the one of this number fails, none for 0. */
    void arm(int call, boolean before) {
        hit.set(null);
        shot = new Shot(call, before);
        calls.set(0);
    }

    /** No call fails any more. {@return where one did, or null} */
    String disarm() {
        shot = new Shot(0, true);
        counted = calls.get();
        return hit.get();
    }

    /** {@return calls between the latest {@link #arm} and {@link #disarm}} */
    int calls() {
        return counted;
    }

    @Override
    public void call(int number, long[] x) {
        boolean fails = calls.incrementAndGet() == shot.call;
        boolean before = shot.before;
        if (!fails || !before) {
            port.call(number, x);
        }
        if (fails) {
            hit.set("%s hypercall 0x%02x".formatted(before ? "before" : "after", number));
            throw new Injected(hit.get());
        }
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
