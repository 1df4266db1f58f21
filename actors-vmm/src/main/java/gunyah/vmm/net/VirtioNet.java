package gunyah.vmm.net;

import gunyah.vmm.virtio.Bits;
import gunyah.vmm.virtio.DescriptorChain;
import gunyah.vmm.virtio.DeviceQueues;
import gunyah.vmm.virtio.VirtioDevice;
import gunyah.vmm.virtio.Virtqueue;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A virtio network card (virtio 1.2, 5.1): a pair of queues for each vCPU, checksum offload, mergeable buffers,
 * segmentation offload for TCP, which saves a guest most of its work.
 */
public final class VirtioNet implements VirtioDevice, Network.Card {
    private static final int ID = 1;
    /** What a device's loop has room for: two queues for each, and the control queue. */
    private static final int MAX_PAIRS = 8;
    private static final long F_CSUM = 1L;
    private static final long F_GUEST_CSUM = 1L << 1;
    private static final long F_MTU = 1L << 3;
    private static final long F_MAC = 1L << 5;
    private static final long F_GUEST_TSO4 = 1L << 7;
    private static final long F_GUEST_TSO6 = 1L << 8;
    private static final long F_HOST_TSO4 = 1L << 11;
    private static final long F_HOST_TSO6 = 1L << 12;
    private static final long F_MRG_RXBUF = 1L << 15;
    private static final long F_STATUS = 1L << 16;
    private static final long F_CTRL_VQ = 1L << 17;
    private static final long F_MQ = 1L << 22;

    private static final int CONTROL = 2;
    private static final int CTRL_MQ = 4;
    private static final int MQ_VQ_PAIRS_SET = 0;
    private static final byte CTRL_OK = 0;
    private static final byte CTRL_ERR = 1;

    private static final int HEADER = 12;
    private static final int FLAG_NEEDS_CSUM = 1;
    private static final int GSO_NONE = 0;
    private static final int GSO_TCPV4 = 1;
    private static final int GSO_TCPV6 = 4;
    private static final int LINK_UP = 1;
    /** Frames that may wait for the guest's buffers. */
    private static final int BACKLOG = 256;
    private static final int BATCH = 64;

    private final byte[] config = new byte[12];
    private final Network network;
    private final int pairs;
    /** Frames for each pair of queues. */
    private final List<Queue<Frame>> backlogs = new ArrayList<>();
    private final FlowSteering steering = new FlowSteering();
    private final AtomicInteger waiting = new AtomicInteger();
    private final int[] heads = new int[Virtqueue.MAX_SIZE];
    private final int[] lengths = new int[Virtqueue.MAX_SIZE];
    private final byte[] header = new byte[HEADER];
    private volatile DeviceQueues queues;
    private volatile boolean refused;
    /** Pairs that the driver said it uses. */
    private volatile int inUse = 1;
    private DescriptorChain first;
    private DescriptorChain next;

    /**
     * Makes a card and plugs it in.
     *
     * @param mac   six bytes
     * @param vcpus of the VM
     */
    public VirtioNet(byte[] mac, Network network, int vcpus) {
        pairs = Math.clamp(vcpus, 1, MAX_PAIRS);
        for (int i = 0; i < pairs; i++) {
            backlogs.add(new ConcurrentLinkedQueue<>());
        }
        System.arraycopy(mac, 0, config, 0, mac.length);
        Bits.le16(config, 6, LINK_UP);
        Bits.le16(config, 8, pairs);
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
        long common = F_CSUM | F_GUEST_CSUM | F_MTU | F_MAC | F_MRG_RXBUF | F_STATUS
                | (pairs > 1 ? F_CTRL_VQ | F_MQ : 0);
        long large = F_GUEST_TSO4 | F_GUEST_TSO6 | F_HOST_TSO4 | F_HOST_TSO6;
        return network.takesLargeFrames() ? common | large : common;
    }

    /** Feature bits that need others (5.1.3.1). */
    @Override
    public boolean accepts(long features) {
        return needs(features, F_HOST_TSO4 | F_HOST_TSO6, F_CSUM)
                && needs(features, F_GUEST_TSO4 | F_GUEST_TSO6, F_GUEST_CSUM) && needs(features, F_MQ, F_CTRL_VQ);
    }

    private static boolean needs(long features, long bits, long other) {
        return (features & bits) == 0 || (features & other) != 0;
    }

    @Override
    public int queueCount() {
        return pairs > 1 ? 2 * pairs + 1 : 2;
    }

    @Override
    public byte[] config() {
        return config;
    }

    @Override
    public void started(DeviceQueues running) {
        first = new DescriptorChain(running.memory());
        next = new DescriptorChain(running.memory());
        inUse = 1;
        steering.forget();
        queues = running;
    }

    @Override
    public void reset() {
        queues = null;
        for (Queue<Frame> backlog : backlogs) {
            while (backlog.poll() != null) {
                waiting.decrementAndGet();
            }
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
        int pair = steering.pairFor(frame, inUse);
        backlogs.get(pair).add(frame);
        running.schedule(2 * pair);
        return true;
    }

    @Override
    public boolean hasRoom() {
        return waiting.get() < BACKLOG;
    }

    @Override
    public boolean takesLargeFrames(int ip) {
        DeviceQueues running = queues;
        long wanted = F_MRG_RXBUF | (ip == 4 ? F_GUEST_TSO4 : F_GUEST_TSO6);
        return running != null && (running.features() & wanted) == wanted;
    }

    @Override
    public void process(int index) {
        boolean control = pairs > 1 && index == (has(F_MQ) ? 2 * pairs : CONTROL);
        if (!control && (index & 1) == 0 && index / 2 >= inUse && index / 2 < pairs) {
            redirect(backlogs.get(index / 2));
            return;
        }
        Virtqueue queue = queues.queue(index);
        if (queue == null) {
            return;
        }
        if (control) {
            control(queue);
        } else if ((index & 1) == 0 && index / 2 < pairs) {
            receive(queue, index);
        } else if ((index & 1) == 1) {
            transmit(queue, index);
        }
        queues.notifyDriver(index);
    }

    private void receive(Virtqueue queue, int index) {
        Queue<Frame> backlog = backlogs.get(index / 2);
        Frame frame = backlog.peek();
        while (frame != null) {
            if (!fill(queue, frame)) {
                if (queue.expectNotification()) {
                    queues.schedule(index);
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
        if (offered.segmentSize() != 0 && !takesLargeFrames(TcpSegments.version(offered))) {
            // it was on its way when a driver took over that takes none
            return true;
        }
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
            header[1] = (byte) (TcpSegments.version(frame) == 4 ? GSO_TCPV4 : GSO_TCPV6);
            int tcpHeader = (frame.bytes()[frame.checksumStart() + 12] & 0xf0) >> 2;
            Bits.le16(header, 2, frame.checksumStart() + tcpHeader);
            Bits.le16(header, 4, frame.segmentSize());
        }
        Bits.le16(header, 10, buffers);
    }

    private void transmit(Virtqueue queue, int index) {
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
                    if (inUse > 1) {
                        steering.sent(frame, index / 2);
                    }
                    network.send(frame);
                }
                if (++sent == BATCH) {
                    queues.schedule(index);
                    return;
                }
            }
        } while (queue.expectNotification());
    }

    /** {@return the frame; null for one that makes no sense, which is dropped} */
    private Frame sentFrame() {
        int limit = has(F_HOST_TSO4 | F_HOST_TSO6) ? Frame.MAX_LENGTH : Frame.MTU + Frame.HEADER;
        long length = first.readable();
        int gso = header[1];
        int segmentSize = gso == GSO_NONE ? 0 : Bits.le16(header, 4);
        boolean known = gso == GSO_NONE || (gso == GSO_TCPV4 || gso == GSO_TCPV6) && segmentSize != 0;
        if (length < Frame.HEADER || length > limit || !known) {
            return null;
        }
        byte[] bytes = new byte[(int) length];
        first.read(bytes, 0, bytes.length);
        if ((header[0] & FLAG_NEEDS_CSUM) == 0) {
            return gso == GSO_NONE ? Frame.of(bytes) : null;
        }
        int start = Bits.le16(header, 6);
        int field = Bits.le16(header, 8);
        if (start < Frame.HEADER || start + field + 2 > bytes.length) {
            return null;
        }
        Frame frame = new Frame(bytes, bytes.length, start, field, segmentSize);
        boolean legal = gso == GSO_NONE
                || TcpSegments.version(frame) == (gso == GSO_TCPV4 ? 4 : 6) && TcpSegments.isLegal(frame);
        return legal ? frame : null;
    }

    /** Commands of the control queue; of them we have only the number of pairs in use (5.1.6.5.6). */
    private void control(Virtqueue queue) {
        byte[] command = new byte[4];
        do {
            while (queue.pop(first)) {
                int length = first.read(command, 0, command.length);
                if (length < 2 || first.writable() == 0) {
                    queue.breakDown("a control command without class or room for its answer");
                    return;
                }
                int wanted = Bits.le16(command, 2);
                boolean known = length == command.length && command[0] == CTRL_MQ && command[1] == MQ_VQ_PAIRS_SET;
                boolean done = known && has(F_MQ) && wanted >= 1 && wanted <= pairs;
                if (done) {
                    use(wanted);
                }
                first.writeLast(done ? CTRL_OK : CTRL_ERR);
                queue.push(first);
            }
        } while (queue.expectNotification());
    }

    private void use(int wanted) {
        inUse = wanted;
        for (int pair = wanted; pair < pairs; pair++) {
            queues.schedule(2 * pair);
        }
    }

    /** What came for a pair that is no longer used goes to the first. */
    private void redirect(Queue<Frame> backlog) {
        for (Frame frame = backlog.poll(); frame != null; frame = backlog.poll()) {
            backlogs.getFirst().add(frame);
            queues.schedule(0);
        }
    }

    @Override
    public void close() {
        network.close();
    }
}
