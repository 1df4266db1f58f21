package gunyah.vmm.uapi;

import gunyah.vmm.driver.Errno;
import gunyah.vmm.driver.GunyahError;
import gunyah.vmm.driver.GunyahVm;
import gunyah.vmm.driver.IoEventFd;
import java.nio.ByteBuffer;

/**
 * An ioeventfd (v17 34/35): {@code u64 datamatch, u64 addr, u32 len, s32 fd, u32 flags, u32 padding}. The reference takes
 * two at one address for the same, and so removes strangers; here all that tells stores apart counts.
 */
final class IoEventFdFunction implements FunctionProvider {
    private static final int SIZE = 32;
    private static final int DATA = 0;
    private static final int ADDRESS = 8;
    private static final int LENGTH = 16;
    private static final int FD = 20;
    private static final int FLAGS = 24;
    private static final int DATAMATCH = 1;

    @Override
    public Bound bind(GunyahFiles files, GunyahVm vm, byte[] argument) {
        ByteBuffer in = Structure.of(argument, SIZE, "fn_ioeventfd_arg");
        int flags = in.getInt(FLAGS);
        if ((flags & ~DATAMATCH) != 0) {
            throw new GunyahError(Errno.EINVAL, "ioeventfd flags 0x%x".formatted(flags));
        }
        EventFd event = files.event(in.getInt(FD));
        long address = in.getLong(ADDRESS);
        int length = in.getInt(LENGTH);
        IoEventFd bound = (flags & DATAMATCH) != 0
                ? vm.addIoEventFd(address, length, in.getLong(DATA), value -> event.add(1))
                : vm.addIoEventFd(address, length, value -> event.add(1));
        return new Bound(0, bound);
    }

    @Override
    public boolean isSame(byte[] argument, byte[] asked) {
        if (asked.length != SIZE) {
            return false;
        }
        ByteBuffer mine = Structure.of(argument);
        ByteBuffer other = Structure.of(asked);
        boolean dataMatch = (mine.getInt(FLAGS) & DATAMATCH) != 0;
        return mine.getLong(ADDRESS) == other.getLong(ADDRESS) && mine.getInt(FLAGS) == other.getInt(FLAGS)
                && (!dataMatch || mine.getInt(LENGTH) == other.getInt(LENGTH)
                        && mine.getLong(DATA) == other.getLong(DATA));
    }
}
