package gunyah.vmm.block;

import gunyah.vmm.virtio.Bits;
import gunyah.vmm.virtio.DescriptorChain;
import gunyah.vmm.virtio.DeviceQueues;
import gunyah.vmm.virtio.VirtioDevice;
import gunyah.vmm.virtio.Virtqueue;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A virtio block device (virtio 1.2, 5.2) with one queue for each vCPU. */
public final class VirtioBlock implements VirtioDevice {
    private static final Logger LOG = LoggerFactory.getLogger(VirtioBlock.class);

    private static final int ID = 2;
    private static final int MAX_QUEUES = 16;
    private static final long F_SEG_MAX = 1L << 2;
    private static final long F_RO = 1L << 5;
    private static final long F_BLK_SIZE = 1L << 6;
    private static final long F_FLUSH = 1L << 9;
    private static final long F_MQ = 1L << 12;
    private static final long F_DISCARD = 1L << 13;
    private static final long F_WRITE_ZEROES = 1L << 14;

    private static final int T_IN = 0;
    private static final int T_OUT = 1;
    private static final int T_FLUSH = 4;
    private static final int T_GET_ID = 8;
    private static final int T_DISCARD = 11;
    private static final int T_WRITE_ZEROES = 13;

    private static final byte S_OK = 0;
    private static final byte S_IOERR = 1;
    private static final byte S_UNSUPP = 2;

    private static final int CONFIG_SIZE = 60;
    private static final int HEADER = 16;
    private static final int ID_LENGTH = 20;
    private static final int RANGE = 16;
    /** Sectors of one range; zeros may have to be written, so there are fewer of them. */
    private static final int MAX_DISCARD_SECTORS = 1 << 22;
    private static final int MAX_ZERO_SECTORS = 1 << 13;
    private static final int MAX_RANGES = 16;
    /** Requests served before somebody else may have the device's registers. */
    private static final int BATCH = 32;
    private static final int STAGE = 1 << 18;
    private static final int RANGE_UNMAP = 1;

    private final String serial;
    private final DiskImage image;
    private final boolean readOnly;
    private final int queueCount;
    private final byte[] config = new byte[CONFIG_SIZE];
    private final byte[] stage = new byte[STAGE];
    private final byte[] header = new byte[HEADER];
    /** The host may have dropped what it could not write, so that a later flush would succeed and nothing be there. */
    private boolean flushFailed;
    private DeviceQueues queues;
    private DescriptorChain chain;

    /**
     * Makes a device of an image.
     *
     * @param serial what GET_ID answers, at most 20 bytes of it
     * @param vcpus  of the VM
     */
    public VirtioBlock(String serial, DiskImage image, boolean readOnly, int vcpus) {
        this.serial = serial;
        this.image = image;
        this.readOnly = readOnly;
        this.queueCount = Math.clamp(vcpus, 1, MAX_QUEUES);
        Bits.le64(config, 0, image.size() / DiskImage.SECTOR);
        Bits.le32(config, 12, Virtqueue.MAX_SIZE - 2);
        Bits.le32(config, 20, DiskImage.SECTOR);
        Bits.le16(config, 34, queueCount);
        Bits.le32(config, 36, MAX_DISCARD_SECTORS);
        Bits.le32(config, 40, MAX_RANGES);
        Bits.le32(config, 44, 1);
        Bits.le32(config, 48, MAX_ZERO_SECTORS);
        Bits.le32(config, 52, MAX_RANGES);
        config[56] = 1;
    }

    @Override
    public String name() {
        return "virtio-blk";
    }

    @Override
    public int id() {
        return ID;
    }

    @Override
    public long features() {
        long common = F_SEG_MAX | F_BLK_SIZE | F_FLUSH | (queueCount > 1 ? F_MQ : 0);
        return common | (readOnly ? F_RO : F_DISCARD | F_WRITE_ZEROES);
    }

    @Override
    public int queueCount() {
        return queueCount;
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
                if (chain.read(header, 0, HEADER) < HEADER || chain.writable() == 0) {
                    queue.breakDown("a block request without header or status");
                    return;
                }
                // the status is the last byte, so data must end before it
                byte status = request(chain.writable() - 1);
                chain.writeLast(status);
                queue.push(chain);
                queues.notifyDriver(index);
                if (++served == BATCH) {
                    queues.schedule(index);
                    return;
                }
            }
        } while (queue.expectNotification());
    }

    private byte request(long writable) {
        int type = Bits.le32(header, 0);
        long sector = Bits.le64(header, 8);
        try {
            return switch (type) {
                case T_IN -> transfer(sector, writable, false);
                case T_OUT -> readOnly ? S_IOERR : transfer(sector, chain.readable(), true);
                case T_FLUSH -> flush();
                case T_GET_ID -> identify(writable);
                case T_DISCARD, T_WRITE_ZEROES -> readOnly ? S_IOERR : ranges(type);
                default -> S_UNSUPP;
            };
        } catch (IOException e) {
            LOG.warn("disk {}: {}", serial, e.toString());
            return S_IOERR;
        }
    }

    private boolean outside(long sector, long sectors) {
        long all = image.size() / DiskImage.SECTOR;
        return sector < 0 || sectors < 0 || sectors > all || sector > all - sectors;
    }

    private byte transfer(long sector, long bytes, boolean write) throws IOException {
        if (bytes % DiskImage.SECTOR != 0 || outside(sector, bytes / DiskImage.SECTOR)) {
            return S_IOERR;
        }
        long position = sector * DiskImage.SECTOR;
        long left = bytes;
        while (left > 0) {
            int piece = (int) Math.min(left, STAGE);
            if (write) {
                chain.read(stage, 0, piece);
                image.write(position, stage, 0, piece);
            } else {
                image.read(position, stage, 0, piece);
                chain.write(stage, 0, piece);
            }
            position += piece;
            left -= piece;
        }
        return S_OK;
    }

    private byte flush() throws IOException {
        if (flushFailed) {
            return S_IOERR;
        }
        if (!readOnly) {
            flushFailed = true;
            image.flush();
            flushFailed = false;
        }
        return S_OK;
    }

    private byte identify(long writable) {
        byte[] id = Arrays.copyOf(serial.getBytes(StandardCharsets.US_ASCII), ID_LENGTH);
        chain.write(id, 0, (int) Math.min(ID_LENGTH, writable));
        return S_OK;
    }

    private byte ranges(int type) throws IOException {
        long count = chain.readable() / RANGE;
        if (chain.readable() % RANGE != 0 || count == 0 || count > MAX_RANGES) {
            return S_IOERR;
        }
        byte[] ranges = new byte[(int) count * RANGE];
        chain.read(ranges, 0, ranges.length);
        for (int at = 0; at < ranges.length; at += RANGE) {
            long sector = Bits.le64(ranges, at);
            long sectors = Bits.le32(ranges, at + 8) & 0xffff_ffffL;
            int flags = Bits.le32(ranges, at + 12);
            if ((flags & ~RANGE_UNMAP) != 0 || type == T_DISCARD && flags != 0) {
                return S_UNSUPP;
            }
            if (sectors > (type == T_DISCARD ? MAX_DISCARD_SECTORS : MAX_ZERO_SECTORS) || outside(sector, sectors)) {
                return S_IOERR;
            }
            if (type == T_DISCARD) {
                image.discard(sector * DiskImage.SECTOR, sectors * DiskImage.SECTOR);
            } else {
                image.zero(sector * DiskImage.SECTOR, sectors * DiskImage.SECTOR, flags != 0);
            }
        }
        return S_OK;
    }

    @Override
    public void close() {
        try {
            if (!readOnly) {
                image.flush();
            }
            image.close();
        } catch (IOException e) {
            LOG.warn("disk {}: {}", serial, e.toString());
        }
    }
}
