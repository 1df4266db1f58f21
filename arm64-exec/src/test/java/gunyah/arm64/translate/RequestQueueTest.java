package gunyah.arm64.translate;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.arm64.decode.Insn;
import gunyah.arm64.translate.RequestQueue.Request;
import org.junit.jupiter.api.Test;

/** Places wait for their regions by heat, each once. */
class RequestQueueTest {
    /** A page is itself only. */
    private static final class Page implements HotCode {
        @Override
        public Insn[] instructions() {
            throw new AssertionError("nobody asked yet");
        }

        @Override
        public short[] jumpedFrom() {
            throw new AssertionError("nobody asked yet");
        }

        @Override
        public boolean isTranslated(int slot) {
            throw new AssertionError("nobody asked yet");
        }
    }

    private final RequestQueue queue = new RequestQueue();
    private final Page page = new Page();

    @Test
    void theHottestComesFirst() throws InterruptedException {
        queue.add(new Request(page, 1, 20, true));
        queue.add(new Request(page, 2, 30, true));
        queue.add(new Request(new Page(), 1, 10, true));

        assertThat(queue.take().slot()).isEqualTo(2);
        assertThat(queue.take().code()).isSameAs(page);
        assertThat(queue.take().heat()).isEqualTo(10);
        assertThat(queue.poll()).isNull();
    }

    @Test
    void aPlaceWaitsOnceWithItsLatestHeat() throws InterruptedException {
        queue.add(new Request(page, 1, 20, true));
        queue.add(new Request(page, 2, 30, true));
        queue.add(new Request(page, 1, 40, true));

        assertThat(queue.size()).isEqualTo(2);
        assertThat(queue.take()).isEqualTo(new Request(page, 1, 40, true));
    }

    @Test
    void theColdestIsForgotten() throws InterruptedException {
        for (int slot = 0; slot < RequestQueue.MOST; slot++) {
            queue.add(new Request(page, slot, 1_000 + slot, true));
        }
        queue.add(new Request(page, 1_000, 5_000, true));
        queue.add(new Request(page, 1_001, 500, true));

        assertThat(queue.size()).isEqualTo(RequestQueue.MOST);
        assertThat(queue.take().slot()).isEqualTo(1_000);
        Request last = null;
        for (Request next = queue.poll(); next != null; next = queue.poll()) {
            last = next;
        }
        assertThat(last).as("slots 0 and 1,001 are forgotten").isEqualTo(new Request(page, 1, 1_001, true));
    }
}
