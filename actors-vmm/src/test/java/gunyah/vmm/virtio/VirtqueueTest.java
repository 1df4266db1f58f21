package gunyah.vmm.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** The split ring: chains, indirect tables, suppression, and what a driver can get wrong. */
class VirtqueueTest {
    private static final long DATA = ArrayMemory.BASE + 0x40000;
    private static final long AVAIL = ArrayMemory.BASE + 0x2000;
    private static final long USED = ArrayMemory.BASE + 0x3000;

    private final ArrayMemory memory = new ArrayMemory(1 << 20);
    private final DescriptorChain chain = new DescriptorChain(memory);
    private Virtqueue queue = queue(0);

    private Virtqueue queue(long features) {
        return Virtqueue.of(memory, 8, ArrayMemory.BASE, AVAIL, USED, features);
    }

    private void descriptor(long at, long gpa, long length, int flags, int next) {
        memory.store64(at, gpa);
        memory.store32(at + 8, (int) length);
        memory.store16(at + 12, flags);
        memory.store16(at + 14, next);
    }

    private void descriptor(int index, long gpa, long length, int flags, int next) {
        descriptor(ArrayMemory.BASE + index * 16L, gpa, length, flags, next);
    }

    private void available(int index, int head) {
        memory.store16(AVAIL + 4 + 2L * (index % 8), head);
        memory.store16(AVAIL + 2, index + 1);
    }

    private void breaks(String reason, Consumer<VirtqueueTest> driver) {
        queue = queue(Features.INDIRECT_DESC);
        driver.accept(this);
        assertThat(queue.pop(chain)).isFalse();
        assertThat(queue.broken()).contains(reason);
        assertThat(queue.pop(chain)).isFalse();
        assertThat(queue.expectNotification()).isFalse();
        assertThat(queue.wantsInterrupt()).isFalse();
    }

    @Test
    void refusesSizesAndPlacesThatAreIllegal() {
        assertThat(Virtqueue.of(memory, 0, ArrayMemory.BASE, AVAIL, USED, 0)).isNull();
        assertThat(Virtqueue.of(memory, 3, ArrayMemory.BASE, AVAIL, USED, 0)).isNull();
        assertThat(Virtqueue.of(memory, 512, ArrayMemory.BASE, AVAIL, USED, 0)).isNull();
        assertThat(Virtqueue.of(memory, -8, ArrayMemory.BASE, AVAIL, USED, 0)).isNull();
        assertThat(Virtqueue.of(memory, 8, ArrayMemory.BASE + 8, AVAIL, USED, 0)).isNull();
        assertThat(Virtqueue.of(memory, 8, ArrayMemory.BASE, AVAIL + 1, USED, 0)).isNull();
        assertThat(Virtqueue.of(memory, 8, ArrayMemory.BASE, AVAIL, USED + 2, 0)).isNull();
        assertThat(Virtqueue.of(memory, 8, ArrayMemory.BASE + (1 << 20) - 64, AVAIL, USED, 0)).isNull();
        assertThat(Virtqueue.of(memory, 8, -16, AVAIL, USED, 0)).isNull();
    }

    @Test
    void walksAChainOfReadableAndWritableParts() {
        memory.write(DATA, "abcdef".getBytes(), 0, 6);
        descriptor(3, DATA, 4, TestDriver.NEXT, 1);
        descriptor(1, DATA + 4, 2, TestDriver.NEXT, 5);
        descriptor(5, DATA + 0x100, 3, TestDriver.WRITE | TestDriver.NEXT, 0);
        descriptor(0, DATA + 0x200, 9, TestDriver.WRITE, 0);
        available(0, 3);

        assertThat(queue.pop(chain)).isTrue();
        assertThat(chain.readable()).isEqualTo(6);
        assertThat(chain.writable()).isEqualTo(12);
        byte[] read = new byte[10];
        assertThat(chain.read(read, 1, 9)).isEqualTo(6);
        assertThat(new String(read, 1, 6)).isEqualTo("abcdef");
        assertThat(chain.write("0123456".getBytes(), 0, 7)).isEqualTo(7);
        queue.push(chain);

        assertThat(memory.copy(DATA + 0x100, 3)).isEqualTo("012".getBytes());
        assertThat(memory.copy(DATA + 0x200, 4)).isEqualTo("3456".getBytes());
        assertThat(memory.load16(USED + 2)).isEqualTo(1);
        assertThat(memory.load32(USED + 4)).isEqualTo(3);
        assertThat(memory.load32(USED + 8)).isEqualTo(7);
        assertThat(queue.pop(chain)).isFalse();
        assertThat(queue.broken()).isNull();
    }

    @Test
    void followsAnIndirectTableAfterADirectPart() {
        queue = queue(Features.INDIRECT_DESC);
        descriptor(0, DATA, 1, TestDriver.NEXT, 1);
        descriptor(1, DATA + 0x1000, 32, TestDriver.INDIRECT, 0);
        descriptor(DATA + 0x1000, DATA + 1, 2, TestDriver.NEXT, 1);
        descriptor(DATA + 0x1010, DATA + 8, 5, TestDriver.WRITE, 0);
        available(0, 0);

        assertThat(queue.pop(chain)).isTrue();
        assertThat(chain.readable()).isEqualTo(3);
        assertThat(chain.writable()).isEqualTo(5);
    }

    @Test
    void indicesWrapAround() {
        descriptor(0, DATA, 1, 0, 0);
        for (int i = 0; i < 70_000; i++) {
            memory.store16(AVAIL + 4 + 2L * (i % 8), 0);
            memory.store16(AVAIL + 2, i + 1);
            assertThat(queue.pop(chain)).isTrue();
            queue.push(chain);
        }
        assertThat(memory.load16(USED + 2)).isEqualTo(70_000 & 0xffff);
    }

    @Test
    void anUnpoppedBufferComesAgain() {
        descriptor(2, DATA, 1, 0, 0);
        available(0, 2);
        assertThat(queue.pop(chain)).isTrue();
        queue.unpop(1);

        assertThat(queue.pop(chain)).isTrue();
        assertThat(chain.head()).isEqualTo(2);
        assertThat(queue.pop(chain)).isFalse();
    }

    @Test
    void interruptsAsTheFlagSays() {
        descriptor(0, DATA, 1, 0, 0);
        available(0, 0);
        queue.pop(chain);
        queue.push(chain);
        assertThat(queue.wantsInterrupt()).isTrue();
        assertThat(queue.wantsInterrupt()).isFalse();

        memory.store16(AVAIL, 1);
        available(1, 0);
        queue.pop(chain);
        queue.push(chain);
        assertThat(queue.wantsInterrupt()).isFalse();
    }

    @Test
    void interruptsOnlyWhenTheUsedEventIsPassed() {
        queue = queue(Features.EVENT_IDX);
        descriptor(0, DATA, 1, 0, 0);
        memory.store16(AVAIL + 4 + 16, 1);
        for (int i = 0; i < 3; i++) {
            available(i, 0);
            queue.pop(chain);
            queue.push(chain);
            assertThat(queue.wantsInterrupt()).as("buffer %d", i).isEqualTo(i == 1);
        }
    }

    @Test
    void asksForNotificationsAndSeesWhatCameMeanwhile() {
        queue.ignoreNotifications();
        assertThat(memory.load16(USED)).isEqualTo(1);
        assertThat(queue.expectNotification()).isFalse();
        assertThat(memory.load16(USED)).isZero();

        queue = queue(Features.EVENT_IDX);
        available(0, 0);
        assertThat(queue.expectNotification()).isTrue();
        assertThat(memory.load16(USED + 4 + 64)).isZero();
    }

    @Test
    void wrongRingsAndDescriptorsBreakTheQueue() {
        breaks("9 buffers are available in a queue of 8", t -> t.memory.store16(AVAIL + 2, 9));
        breaks("descriptor 8 of 8", t -> t.available(0, 8));
        breaks("descriptor 65535 of 8", t -> {
            t.descriptor(0, DATA, 1, TestDriver.NEXT, 0xffff);
            t.available(0, 0);
        });
        breaks("loop", t -> {
            t.descriptor(0, DATA, 1, TestDriver.NEXT, 1);
            t.descriptor(1, DATA, 1, TestDriver.NEXT, 0);
            t.available(0, 0);
        });
        breaks("not in memory", t -> {
            t.descriptor(0, 0x4000_0000L, 1, 0, 0);
            t.available(0, 0);
        });
        breaks("not in memory", t -> {
            t.descriptor(0, -1, 0xffff_ffffL, 0, 0);
            t.available(0, 0);
        });
        breaks("not in memory", t -> {
            t.descriptor(0, ArrayMemory.BASE + (1 << 20) - 4, 5, 0, 0);
            t.available(0, 0);
        });
        breaks("readable part follows", t -> {
            t.descriptor(0, DATA, 1, TestDriver.WRITE | TestDriver.NEXT, 1);
            t.descriptor(1, DATA, 1, 0, 0);
            t.available(0, 0);
        });
    }

    @Test
    void wrongIndirectTablesBreakTheQueue() {
        breaks("indirect table", t -> {
            t.descriptor(0, DATA, 17, TestDriver.INDIRECT, 0);
            t.available(0, 0);
        });
        breaks("indirect table", t -> {
            t.descriptor(0, DATA, 0, TestDriver.INDIRECT, 0);
            t.available(0, 0);
        });
        breaks("indirect table", t -> {
            t.descriptor(0, DATA, 16, TestDriver.INDIRECT | TestDriver.NEXT, 0);
            t.available(0, 0);
        });
        breaks("indirect table", t -> {
            t.descriptor(0, 0x1000, 16, TestDriver.INDIRECT, 0);
            t.available(0, 0);
        });
        breaks("in an indirect table", t -> {
            t.descriptor(0, DATA, 16, TestDriver.INDIRECT, 0);
            t.descriptor(DATA, DATA, 16, TestDriver.INDIRECT, 0);
            t.available(0, 0);
        });
        breaks("loop", t -> {
            t.descriptor(0, DATA, 16, TestDriver.INDIRECT, 0);
            t.descriptor(DATA, DATA, 16, TestDriver.NEXT, 0);
            t.available(0, 0);
        });
    }

    @Test
    void anIndirectTableWithoutTheFeatureBreaksTheQueue() {
        descriptor(0, DATA, 16, TestDriver.INDIRECT, 0);
        available(0, 0);

        assertThat(queue.pop(chain)).isFalse();
        assertThat(queue.broken()).contains("indirect table");
    }
}
