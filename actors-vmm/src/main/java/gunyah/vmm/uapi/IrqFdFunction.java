package gunyah.vmm.uapi;

import gunyah.vmm.driver.Errno;
import gunyah.vmm.driver.GunyahError;
import gunyah.vmm.driver.GunyahVm;
import gunyah.vmm.driver.IrqFd;
import java.nio.ByteBuffer;

/** An irqfd (v17 32/35): {@code u32 fd, u32 label, u32 flags, u32 padding}. Two are the same when their labels are. */
final class IrqFdFunction implements FunctionProvider {
    private static final int SIZE = 16;
    private static final int FD = 0;
    private static final int LABEL = 4;
    private static final int FLAGS = 8;
    private static final int LEVEL = 1;

    @Override
    public Bound bind(GunyahFiles files, GunyahVm vm, byte[] argument) {
        ByteBuffer in = Structure.of(argument, SIZE, "fn_irqfd_arg");
        int flags = in.getInt(FLAGS);
        if ((flags & ~LEVEL) != 0) {
            throw new GunyahError(Errno.EINVAL, "irqfd flags 0x%x".formatted(flags));
        }
        EventFd event = files.event(in.getInt(FD));
        IrqFd line = vm.addIrqFd(in.getInt(LABEL), (flags & LEVEL) != 0);
        Runnable signal = line::signal;
        event.listen(signal);
        line.whenUnbound(() -> event.ignore(signal));
        return new Bound(0, line);
    }

    @Override
    public boolean isSame(byte[] argument, byte[] asked) {
        return asked.length == SIZE && Structure.of(argument).getInt(LABEL) == Structure.of(asked).getInt(LABEL);
    }
}
