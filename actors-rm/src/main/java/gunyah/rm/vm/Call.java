package gunyah.rm.vm;

/**
 * A request on its way to the service that answers it, past the checks of the message table.
 *
 * @param caller  who sent it
 * @param target  the VM it is about; the caller when it is about none
 * @param request its payload
 * @param answer  where the reply goes
 */
public record Call<T>(Vm caller, Vm target, T request, Answer answer) {
}
