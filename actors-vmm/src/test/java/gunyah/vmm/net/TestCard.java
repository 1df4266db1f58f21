package gunyah.vmm.net;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** A guest's card in a test: keeps what it gets. */
final class TestCard implements Network.Card {
    final LinkedBlockingQueue<Frame> frames = new LinkedBlockingQueue<>();
    volatile boolean full;
    volatile boolean large = true;

    @Override
    public boolean deliver(Frame frame) {
        return !full && frames.add(frame);
    }

    @Override
    public boolean hasRoom() {
        return !full;
    }

    @Override
    public boolean takesLargeFrames(int ip) {
        return large;
    }

    /** {@return the next frame that fits; others are thrown away} */
    Frame await(Predicate<Frame> wanted) {
        Frame frame = within(60_000, wanted);
        if (frame == null) {
            throw new AssertionError("no such frame came");
        }
        return frame;
    }

    /** {@return the next such frame, null when none came for so many milliseconds} */
    Frame within(long milliseconds, Predicate<Frame> wanted) {
        try {
            while (true) {
                Frame frame = frames.poll(milliseconds, TimeUnit.MILLISECONDS);
                if (frame == null) {
                    return null;
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
