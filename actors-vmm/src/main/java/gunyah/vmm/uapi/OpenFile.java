package gunyah.vmm.uapi;

import gunyah.vmm.driver.GuestMemoryFile;
import gunyah.vmm.driver.GunyahVcpu;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** What a descriptor stands for. */
sealed interface OpenFile {
    IoctlRow.Kind kind();

    /** The descriptor is gone. {@return when everything that depended on it alone is, too} */
    default CompletionStage<Void> release() {
        return CompletableFuture.completedStage(null);
    }

    /** /dev/gunyah. */
    record Device() implements OpenFile {
        @Override
        public IoctlRow.Kind kind() {
            return IoctlRow.Kind.DEVICE;
        }
    }

    /** A VM. */
    record Vm(SharedVm vm) implements OpenFile {
        @Override
        public IoctlRow.Kind kind() {
            return IoctlRow.Kind.VM;
        }

        @Override
        public CompletionStage<Void> release() {
            return vm.release();
        }
    }

    /** A vCPU, which keeps its VM. */
    record Vcpu(GunyahVcpu vcpu, SharedVm vm) implements OpenFile {
        @Override
        public IoctlRow.Kind kind() {
            return IoctlRow.Kind.VCPU;
        }

        @Override
        public CompletionStage<Void> release() {
            return vm.release();
        }
    }

    /** Guest memory; bindings keep it. */
    record Memory(GuestMemoryFile file, boolean closeOnExec) implements OpenFile {
        @Override
        public IoctlRow.Kind kind() {
            return IoctlRow.Kind.MEMORY;
        }

        @Override
        public CompletionStage<Void> release() {
            file.close();
            return CompletableFuture.completedStage(null);
        }
    }

    /** An eventfd. */
    record Event(EventFd event) implements OpenFile {
        @Override
        public IoctlRow.Kind kind() {
            return IoctlRow.Kind.EVENT;
        }
    }
}
