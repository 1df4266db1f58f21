package gunyah.vmm.balloon;

import gunyah.vmm.virtio.Bits;
import gunyah.vmm.virtio.DescriptorChain;
import gunyah.vmm.virtio.DeviceQueues;
import gunyah.vmm.virtio.VirtioDevice;
import gunyah.vmm.virtio.Virtqueue;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * A traditional memory balloon (virtio 1.2, 5.5) with statistics; the guest may deflate it when it runs out of memory.
 * Pages it inflates with leave the guest at once; one it takes out again comes by demand paging, zeroed, so deflating
 * needs nothing of the device. Thread safe where it is used from outside: {@link #target}, {@link #inflatedBytes},
 * {@link #statistics}.
 */
public final class VirtioBalloon implements VirtioDevice {
    private static final int ID = 5;
    private static final int INFLATE = 0;
    private static final int DEFLATE = 1;
    private static final int STATISTICS = 2;
    private static final int QUEUES = 3;
    private static final long F_STATISTICS = 1L << 1;
    private static final long F_DEFLATE_ON_OOM = 1L << 2;
    /** Unit of all numbers, whatever the guest's page size. */
    private static final int PAGE_SHIFT = 12;
    private static final int ACTUAL = 4;
    private static final int CONFIG_SIZE = 8;
    private static final int STATISTIC = 10;
    private static final int BATCH = 8;
    /** Page numbers in one buffer; drivers we know put 256 there. */
    private static final int MAX_PAGES = 16 << 10;

    private final GuestPages pages;
    private final byte[] numbers = new byte[4 * 256];
    private final List<CompletableFuture<BalloonStatistics>> asked = new ArrayList<>();
    private volatile long targetPages;
    private volatile long inflatedPages;
    private volatile DeviceQueues queues;
    private DescriptorChain chain;
    /** The buffer with the last statistics, which the driver fills anew when it gets it back. */
    private DescriptorChain held;
    private boolean holds;
    private boolean returned;

    /**
     * Makes an empty balloon.
     *
     * @param target bytes that the guest is to give back as soon as it can
     */
    public VirtioBalloon(long target, GuestPages pages) {
        this.pages = pages;
        this.targetPages = target >> PAGE_SHIFT;
    }

    /** Has the guest give back so many bytes, or take some again. It does what it can, {@link #inflatedBytes} tells. */
    public void target(long bytes) {
        if (bytes < 0 || bytes >> PAGE_SHIFT > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("a balloon of %d bytes".formatted(bytes));
        }
        targetPages = bytes >> PAGE_SHIFT;
        DeviceQueues running = queues;
        if (running != null) {
            running.configChanged();
        }
    }

    /** {@return bytes the guest says it has given back} */
    public long inflatedBytes() {
        return inflatedPages << PAGE_SHIFT;
    }

    /**
     * Asks the guest for its statistics. {@return them, when the driver answers; never if it does not; fails with an
     * {@link IllegalStateException} when there is no driver, or none any more}
     */
    public CompletionStage<BalloonStatistics> statistics() {
        CompletableFuture<BalloonStatistics> result = new CompletableFuture<>();
        DeviceQueues running = queues;
        if (running == null || (running.features() & F_STATISTICS) == 0) {
            result.completeExceptionally(new IllegalStateException("no driver that has statistics"));
            return result;
        }
        synchronized (asked) {
            asked.add(result);
        }
        if (queues == running) {
            running.schedule(STATISTICS);
        } else {
            // a reset in between may have been too early to find it
            result.completeExceptionally(new IllegalStateException("the driver is gone"));
        }
        return result;
    }

    @Override
    public String name() {
        return "virtio-balloon";
    }

    @Override
    public int id() {
        return ID;
    }

    @Override
    public long features() {
        return F_STATISTICS | F_DEFLATE_ON_OOM;
    }

    @Override
    public int queueCount() {
        return QUEUES;
    }

    @Override
    public byte[] config() {
        byte[] config = new byte[CONFIG_SIZE];
        Bits.le32(config, 0, (int) targetPages);
        Bits.le32(config, ACTUAL, (int) inflatedPages);
        return config;
    }

    @Override
    public void configWrite(int offset, int size, long value) {
        if (offset == ACTUAL && size == 4) {
            inflatedPages = value & 0xffff_ffffL;
        }
    }

    @Override
    public void started(DeviceQueues running) {
        chain = new DescriptorChain(running.memory());
        held = new DescriptorChain(running.memory());
        holds = false;
        returned = false;
        queues = running;
    }

    /** Pages stay with the host until the guest touches them, so a balloon without driver is empty. */
    @Override
    public void reset() {
        queues = null;
        inflatedPages = 0;
        holds = false;
        List<CompletableFuture<BalloonStatistics>> lost;
        synchronized (asked) {
            lost = List.copyOf(asked);
            asked.clear();
        }
        lost.forEach(result -> result.completeExceptionally(new IllegalStateException("the driver is gone")));
    }

    @Override
    public void process(int index) {
        Virtqueue queue = queues.queue(index);
        if (queue == null) {
            return;
        }
        if (index == STATISTICS) {
            statistics(queue);
        } else {
            move(queue, index);
        }
        queues.notifyDriver(index);
    }

    private void move(Virtqueue queue, int index) {
        int served = 0;
        do {
            while (queue.pop(chain)) {
                if (chain.readable() > 4L * MAX_PAGES) {
                    queue.breakDown("%d bytes of page numbers".formatted(chain.readable()));
                    return;
                }
                if (index == INFLATE) {
                    inflate();
                }
                queue.push(chain);
                if (++served == BATCH) {
                    queues.schedule(index);
                    return;
                }
            }
        } while (queue.expectNotification());
    }

    private void inflate() {
        for (int count = chain.read(numbers, 0, numbers.length); count >= 4;
                count = chain.read(numbers, 0, numbers.length)) {
            for (int at = 0; at + 4 <= count; at += 4) {
                pages.reclaim((Bits.le32(numbers, at) & 0xffff_ffffL) << PAGE_SHIFT);
            }
        }
    }

    /** The first buffer comes unasked and is kept; giving it back is the question for the next. */
    private void statistics(Virtqueue queue) {
        if (!holds && queue.pop(held)) {
            holds = true;
            if (returned) {
                returned = false;
                answer(read());
            }
        }
        synchronized (asked) {
            if (holds && !asked.isEmpty()) {
                holds = false;
                returned = true;
                queue.push(held);
            }
        }
        if (queue.expectNotification() && !holds) {
            queues.schedule(STATISTICS);
        }
    }

    private BalloonStatistics read() {
        Map<BalloonStatistics.Tag, Long> values = new EnumMap<>(BalloonStatistics.Tag.class);
        BalloonStatistics.Tag[] tags = BalloonStatistics.Tag.values();
        for (int most = 2 * tags.length; most > 0 && held.read(numbers, 0, STATISTIC) == STATISTIC; most--) {
            int tag = Bits.le16(numbers, 0);
            if (tag < tags.length) {
                values.put(tags[tag], Bits.le64(numbers, 2));
            }
        }
        return new BalloonStatistics(values);
    }

    private void answer(BalloonStatistics statistics) {
        List<CompletableFuture<BalloonStatistics>> waiting;
        synchronized (asked) {
            waiting = List.copyOf(asked);
            asked.clear();
        }
        waiting.forEach(result -> result.complete(statistics));
    }
}
