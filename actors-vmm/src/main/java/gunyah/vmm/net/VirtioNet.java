package gunyah.vmm.net;

import gunyah.vmm.virtio.Bits;
import gunyah.vmm.virtio.DescriptorChain;
import gunyah.vmm.virtio.DeviceQueues;
import gunyah.vmm.virtio.VirtioDevice;
import gunyah.vmm.virtio.Virtqueue;
import java.util.Arrays;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A virtio network card (virtio 1.2, 5.1): one pair of queues, checksum offload, mergeable buffers; segmentation offload
 * where the network takes large frames, which saves an interpreted guest most of its work.
 */
public final class VirtioNet implements VirtioDevice, Network.Card {
    private static final int ID = 1;
    private static final int RECEIVE = 0;
    private static final int TRANSMIT = 1;
    private static final long F_CSUM = 1L;
    private static final long F_GUEST_CSUM = 1L << 1;
    private static final long F_MTU = 1L << 3;
    private static final long F_MAC = 1L << 5;
    private static final long F_GUEST_TSO4 = 1L << 7;
    private static final long F_HOST_TSO4 = 1L << 11;
    private static final long F_MRG_RXBUF = 1L << 15;
    private static final long F_STATUS = 1L << 16;

    private static final int HEADER = 12;
    private static final int FLAG_NEEDS_CSUM = 1;
    private static final int GSO_NONE = 0;
    private static final int GSO_TCPV4 = 1;
    private static final int LINK_UP = 1;
    /** Frames that may wait for the guest's buffers. */
    private static final int BACKLOG = 256;
    private static final int BATCH = 64;

    private final byte[] config = new byte[12];
    private final Network network;
    private final ConcurrentLinkedQueue<Frame> backlog = new ConcurrentLinkedQueue<>();
    private final AtomicInteger waiting = new AtomicInteger();
    private final int[] heads = new int[Virtqueue.MAX_SIZE];
    private final int[] lengths = new int[Virtqueue.MAX_SIZE];
    private final byte[] header = new byte[HEADER];
    private volatile DeviceQueues queues;
    private volatile boolean refused;
    private DescriptorChain first;
    private DescriptorChain next;

    /** @param mac six bytes */
    public VirtioNet(byte[] mac, Network network) {
        System.arraycopy(mac, 0, config, 0, mac.length);
        Bits.le16(config, 6, LINK_UP);
        Bits.le16(config, 10, Frame.MTU);
        this.network = network;
        network.plug(this);
    }

    @Override
    public String name() {
        return "virtio-net";
    }

    @Override
    public int id() {
        return ID;
    }

    @Override
    public long features() {
        long common = F_CSUM | F_GUEST_CSUM | F_MTU | F_MAC | F_MRG_RXBUF | F_STATUS;
        return network.takesLargeFrames() ? common | F_GUEST_TSO4 | F_HOST_TSO4 : common;
    }

    @Override
    public int queueCount() {
        return 2;
    }

    @Override
    public byte[] config() {
        return config;
    }

    @Override
    public void started(DeviceQueues running) {
        first = new DescriptorChain(running.memory());
        next = new DescriptorChain(running.memory());
        queues = running;
    }

    @Override
    public void reset() {
        queues = null;
        while (backlog.poll() != null) {
            waiting.decrementAndGet();
        }
    }

    private boolean has(long feature) {
        return (queues.features() & feature) != 0;
    }

    @Override
    public boolean deliver(Frame frame) {
        DeviceQueues running = queues;
        if (running == null) {
            return true;
        }
        if (waiting.get() >= BACKLOG) {
            refused = true;
            // what made room in between did not see the flag
            if (waiting.get() >= BACKLOG) {
                return false;
            }
        }
        waiting.incrementAndGet();
        backlog.add(frame);
        running.schedule(RECEIVE);
        return true;
    }

    @Override
    public boolean hasRoom() {
        return waiting.get() < BACKLOG;
    }

    @Override
    public boolean takesLargeFrames() {
        DeviceQueues running = queues;
        long wanted = F_GUEST_TSO4 | F_MRG_RXBUF;
        return running != null && (running.features() & wanted) == wanted;
    }

    @Override
    public void process(int index) {
        Virtqueue queue = queues.queue(index);
        if (queue == null) {
            return;
        }
        if (index == RECEIVE) {
            receive(queue);
        } else {
            transmit(queue);
        }
        queues.notifyDriver(index);
    }

    private void receive(Virtqueue queue) {
        Frame frame = backlog.peek();
        while (frame != null) {
            if (!fill(queue, frame)) {
                if (queue.expectNotification()) {
                    queues.schedule(RECEIVE);
                }
                return;
            }
            backlog.poll();
            waiting.decrementAndGet();
            frame = backlog.peek();
        }
        if (refused) {
            refused = false;
            network.hasRoomAgain();
        }
    }

    /** Puts a frame into the guest's buffers. {@return false when there are too few, with nothing taken} */
    private boolean fill(Virtqueue queue, Frame offered) {
        Frame frame = has(F_GUEST_CSUM) ? offered : offered.withChecksum();
        boolean merge = has(F_MRG_RXBUF);
        int done = -HEADER;
        int count = 0;
        while (done < frame.length()) {
            DescriptorChain chain = count == 0 ? first : next;
            if (count == heads.length || !queue.pop(chain)) {
                queue.unpop(count);
                return queue.broken() != null;
            }
            if (count == 0) {
                if (chain.writable() < HEADER) {
                    queue.breakDown("a receive buffer without room for its header");
                    return true;
                }
                describe(frame, 1);
                chain.write(header, 0, HEADER);
                done = 0;
            }
            int piece = (int) Math.min(chain.writable(), frame.length() - done);
            chain.write(frame.bytes(), done, piece);
            done += piece;
            heads[count] = chain.head();
            lengths[count] = (int) chain.written();
            count++;
            if (!merge && done < frame.length()) {
                // no driver makes such small buffers without merging them: the frame is lost, the buffer is not
                queue.unpop(1);
                return true;
            }
        }
        if (count > 1) {
            describe(frame, count);
            first.rewrite(header, HEADER);
        }
        for (int i = 0; i < count; i++) {
            queue.put(i, heads[i], lengths[i]);
        }
        queue.publish(count);
        return true;
    }

    private void describe(Frame frame, int buffers) {
        Arrays.fill(header, (byte) 0);
        if (frame.checksumStart() != 0) {
            header[0] = FLAG_NEEDS_CSUM;
            Bits.le16(header, 6, frame.checksumStart());
            Bits.le16(header, 8, frame.checksumField());
        }
        if (frame.segmentSize() != 0) {
            header[1] = GSO_TCPV4;
            int tcpHeader = (frame.bytes()[frame.checksumStart() + 12] & 0xf0) >> 2;
            Bits.le16(header, 2, frame.checksumStart() + tcpHeader);
            Bits.le16(header, 4, frame.segmentSize());
        }
        Bits.le16(header, 10, buffers);
    }

    private void transmit(Virtqueue queue) {
        int sent = 0;
        do {
            queue.ignoreNotifications();
            while (queue.pop(first)) {
                if (first.read(header, 0, HEADER) < HEADER) {
                    queue.breakDown("a frame without header");
                    return;
                }
                Frame frame = sentFrame();
                queue.push(first);
                if (frame != null) {
                    network.send(frame);
                }
                if (++sent == BATCH) {
                    queues.schedule(TRANSMIT);
                    return;
                }
            }
        } while (queue.expectNotification());
    }

    /** {@return the frame; null for one that makes no sense, which is dropped} */
    private Frame sentFrame() {
        int limit = has(F_HOST_TSO4) ? Frame.MAX_LENGTH : Frame.MTU + Frame.HEADER;
        long length = first.readable();
        int gso = header[1];
        int segmentSize = gso == GSO_NONE ? 0 : Bits.le16(header, 4);
        if (length < Frame.HEADER || length > limit || gso != GSO_NONE && (gso != GSO_TCPV4 || segmentSize == 0)) {
            return null;
        }
        byte[] bytes = new byte[(int) length];
        first.read(bytes, 0, bytes.length);
        if ((header[0] & FLAG_NEEDS_CSUM) == 0) {
            return gso == GSO_NONE ? Frame.of(bytes) : null;
        }
        int start = Bits.le16(header, 6);
        int field = Bits.le16(header, 8);
        return start < Frame.HEADER || start + field + 2 > bytes.length ? null
                : new Frame(bytes, bytes.length, start, field, segmentSize);
    }

    @Override
    public void close() {
        network.close();
    }
}
