package gunyah.vmm.net;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** A guest's card in a test: keeps what it gets. */
final class TestCard implements Network.Card {
    final LinkedBlockingQueue<Frame> frames = new LinkedBlockingQueue<>();
    volatile boolean full;

    @Override
    public boolean deliver(Frame frame) {
        return !full && frames.add(frame);
    }

    @Override
    public boolean hasRoom() {
        return !full;
    }

    @Override
    public boolean takesLargeFrames() {
        return true;
    }

    /** {@return the next frame that fits; others are thrown away} */
    Frame await(Predicate<Frame> wanted) {
        try {
            while (true) {
                Frame frame = frames.poll(20, TimeUnit.SECONDS);
                if (frame == null) {
                    throw new AssertionError("no such frame came");
                }
                if (wanted.test(frame)) {
                    return frame;
                }
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
