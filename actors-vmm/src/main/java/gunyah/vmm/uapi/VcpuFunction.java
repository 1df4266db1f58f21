package gunyah.vmm.uapi;

import gunyah.vmm.driver.GunyahVcpu;
import gunyah.vmm.driver.GunyahVm;
import java.util.Arrays;

/** A vCPU (v17 15/35): {@code u32 id}. Two are the same when their ids are. */
final class VcpuFunction implements FunctionProvider {
    private static final int SIZE = 4;

    @Override
    public Bound bind(GunyahFiles files, GunyahVm vm, byte[] argument) {
        GunyahVcpu vcpu = vm.addVcpu(Structure.of(argument, SIZE, "fn_vcpu_arg").getInt(0));
        return new Bound(files.open(vcpu, vm), vcpu);
    }

    @Override
    public boolean isSame(byte[] argument, byte[] asked) {
        return Arrays.equals(argument, asked);
    }
}
