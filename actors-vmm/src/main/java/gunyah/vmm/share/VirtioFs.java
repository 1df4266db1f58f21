package gunyah.vmm.share;

import gunyah.vmm.virtio.Bits;
import gunyah.vmm.virtio.DescriptorChain;
import gunyah.vmm.virtio.DeviceQueues;
import gunyah.vmm.virtio.VirtioDevice;
import gunyah.vmm.virtio.Virtqueue;
import java.nio.charset.StandardCharsets;

/** A virtio file system device: a queue for what needs no answer, and one for requests. */
public final class VirtioFs implements VirtioDevice {
    private static final int ID = 26;
    private static final int QUEUES = 2;
    private static final int TAG_LENGTH = 36;
    private static final int BATCH = 16;
    /** Data of the largest request or answer, and what is around it. */
    private static final int BUFFER = SharedFolder.MAX_DATA + 4096;

    private final byte[] config = new byte[TAG_LENGTH + 4];
    private final SharedFolder folder;
    private final byte[] in = new byte[BUFFER];
    private final byte[] out = new byte[BUFFER];
    private DeviceQueues queues;
    private DescriptorChain chain;

    /** @param tag what the guest mounts it by, at most 36 bytes of it */
    public VirtioFs(String tag, SharedFolder folder) {
        byte[] bytes = tag.getBytes(StandardCharsets.UTF_8);
        System.arraycopy(bytes, 0, config, 0, Math.min(TAG_LENGTH, bytes.length));
        Bits.le32(config, TAG_LENGTH, 1);
        this.folder = folder;
    }

    @Override
    public String name() {
        return "virtio-fs";
    }

    @Override
    public int id() {
        return ID;
    }

    @Override
    public long features() {
        return 0;
    }

    @Override
    public int queueCount() {
        return QUEUES;
    }

    @Override
    public byte[] config() {
        return config;
    }

    @Override
    public void started(DeviceQueues running) {
        queues = running;
        chain = new DescriptorChain(running.memory());
    }

    @Override
    public void reset() {
        queues = null;
        folder.forgetAll();
    }

    @Override
    public void process(int index) {
        Virtqueue queue = queues.queue(index);
        if (queue == null) {
            return;
        }
        int served = 0;
        do {
            queue.ignoreNotifications();
            while (queue.pop(chain)) {
                if (chain.readable() < FuseMessage.IN_HEADER) {
                    queue.breakDown("a file system request without header");
                    return;
                }
                serve();
                queue.push(chain);
                queues.notifyDriver(index);
                if (++served == BATCH) {
                    queues.schedule(index);
                    return;
                }
            }
        } while (queue.expectNotification());
    }

    private void serve() {
        boolean tooLong = chain.readable() > in.length;
        int length = chain.read(in, 0, in.length);
        FuseMessage message = new FuseMessage(in, length, out);
        int answered = tooLong ? message.finish(FsError.EINVAL) : folder.serve(message, (int) Math.min(out.length,
                chain.writable()));
        if (chain.writable() >= answered) {
            chain.write(out, 0, answered);
        }
    }

    @Override
    public void close() {
        folder.forgetAll();
    }
}
