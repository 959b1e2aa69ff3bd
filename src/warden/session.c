#include "warden/warden.h"
int session_main(void)
{
        return 1;
}
