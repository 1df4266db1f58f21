package gunyah.crash;

import akka.actor.typed.Behavior;
import gunyah.hyp.HypercallPort;
import java.util.function.Function;
import java.util.function.IntConsumer;

/** A port whose hypercalls go through a handler that may fail. Thread safe as that. */
final class FailingPort implements HypercallPort {
    /** A hypercall with its registers. */
    record Hypercall(int number, long[] x) {
    }

    private final HypercallPort port;
    private final Function<Hypercall, Behavior<Hypercall>> handler;

    FailingPort(HypercallPort port, Function<Hypercall, Behavior<Hypercall>> handler) {
        this.port = port;
        this.handler = handler;
    }

    @Override
    public void call(int number, long[] x) {
        handler.apply(new Hypercall(number, x));
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
    public void onInterrupt(IntConsumer handlerOfInterrupts) {
        port.onInterrupt(handlerOfInterrupts);
    }
}
