package gunyah.vmm.driver;

import java.util.concurrent.CompletionStage;

/** Something ADD_FUNCTION gave a VM: a vCPU, an irqfd, an ioeventfd, or what a library user adds (v17 13/35). */
public interface VmFunction {
    /** Takes it away for good. {@return when nothing of it is in use any more} */
    CompletionStage<Void> unbind();
}
